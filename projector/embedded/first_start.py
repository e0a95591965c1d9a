"""What a first start makes, so that one that fails leaves nothing behind."""

import shutil
from contextlib import suppress
from pathlib import Path

from projector.embedded.layout import Layout, is_ours


class FirstStart:
    """Remembers what was there before a start; `undo` removes what came since.

    Where there was a database before, nothing is ever removed.
    """

    def __init__(self, layout: Layout) -> None:
        """To be made before anything is."""
        self._layout = layout
        folders = (layout.data_dir, *layout.data_dir.parents)
        self._folders = [folder for folder in folders if not folder.exists()]
        self._before: frozenset[str] | None = None

    def holds(self) -> None:
        """The data directory is this process's alone from now on: what is in it already stays."""
        layout = self._layout
        names = frozenset(path.name for path in layout.data_dir.iterdir())
        if layout.postgres.name not in names:
            self._before = names - {layout.lock.name}

    def keep(self) -> None:
        """The database is in use from now on: nothing of it is to be removed."""
        self._folders.clear()
        self._before = None

    def undo(self) -> None:
        """Remove what was made; to be called while the lock is held, or where it never was."""
        if self._before is not None:
            layout = self._layout
            made = [path for path in layout.data_dir.iterdir() if path.name not in self._before]
            made.sort(key=lambda path: path == layout.lock)  # last: it keeps others away
            if is_ours(layout.sockets) and layout.sockets not in made:
                made.insert(0, layout.sockets)
            for path in made:
                _remove(path)
        for folder in self._folders:
            with suppress(OSError):  # somebody else put something there
                folder.rmdir()


def _remove(path: Path) -> None:
    with suppress(OSError):  # the start's own error is the one to be told
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
