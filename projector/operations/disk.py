"""How much room the database's server has, where this machine can tell."""

import shutil
from pathlib import Path

from projector.operations.reading import Reader
from projector.operations.readings import Room


def room_in(folder: Path) -> Room | None:
    """The room of the file system that holds a folder; None where it is not there or out of reach."""
    try:
        found = shutil.disk_usage(folder)
    except OSError:
        return None
    return Room(found.free, found.total)


async def servers_folder(reader: Reader) -> Path | None:
    """Where the server keeps its data, if this role may know and the folder is surely the server's.

    A server in a container, or behind a forwarded port, names a folder that may be another server's here.
    Its own has the file of its process id, with the socket through which we came.
    """
    told, local = await reader.folder()
    if told is None or not local:
        return None
    folder = Path(told)
    return folder if is_ours(folder) else None


def is_ours(folder: Path) -> bool:
    """Whether a data directory of this machine is in use by a server, as far as it can be seen."""
    try:
        return (folder / "postmaster.pid").exists()
    except OSError:  # closed to this account: it is there
        return True
