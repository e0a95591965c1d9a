"""The embedded PostgreSQL: a server of our own, from a wheel's binaries, for one machine.

    binaries        finds the wheel's programs
    account         the operating-system account that the server runs as
    layout          its files, and who may read and write them
    locks           lock files
    cluster         initialises a data directory
    postmaster      the server's main process as seen from outside
    first_start     what a first start made, to be removed where it fails
    server_process  the server's processes: whether they live, why they ended, their end
    server          starts, adopts and stops the server
    keeper          watches the server, and starts it again

Only the server's account (and root, where root started it) can connect: the socket is in a folder of mode
0700, and the server asks the kernel who the caller is. There is no TCP unless it is asked for; then logins
with a password reach the directory's database from this machine, and the server's superuser does not.
"""

from projector.embedded.errors import (
    DataDirectoryInUse,
    DataDirectoryUnusable,
    DataDirectoryVersion,
    EmbeddedNotInstalled,
    EmbeddedStartFailed,
)
from projector.embedded.keeper import Keeper, Patience
from projector.embedded.layout import data_folder, default_data_dir, prepare_data_dir
from projector.embedded.server import EmbeddedServer, check_startable, running_dsn, why_away

__all__ = [
    "DataDirectoryInUse",
    "DataDirectoryUnusable",
    "DataDirectoryVersion",
    "EmbeddedNotInstalled",
    "EmbeddedServer",
    "EmbeddedStartFailed",
    "Keeper",
    "Patience",
    "check_startable",
    "data_folder",
    "default_data_dir",
    "prepare_data_dir",
    "running_dsn",
    "why_away",
]
