"""A database server of a test's own, which it may stop, starve and change."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from projector.embedded import EmbeddedServer
from tests.folders import new_folder

NOT_DURABLE = {"fsync": "off"}


@contextmanager
def own_server(name: str, settings: Mapping[str, str] = NOT_DURABLE) -> Iterator[EmbeddedServer]:
    """A started server, with PostgreSQL's own `settings`; stopped and removed at the end."""
    folder = new_folder(name)
    folder.chmod(0o711)
    server = EmbeddedServer(folder, settings=settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
