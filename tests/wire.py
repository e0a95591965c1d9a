"""A wire between a test and its server that counts requests to cancel, and a port that never answers."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

CANCEL_REQUEST = struct.pack("!II", 16, 80877102)


@dataclass
class Wire:
    """A TCP port that leads to a server; `url` is that of the same database through it."""

    url: str = ""
    port: int = 0
    cancels: int = 0
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    def url_with(self, *others: int) -> str:
        """The URL with the ports of other hosts before this one."""
        head, _, tail = self.url.partition(f"127.0.0.1:{self.port}")
        hosts = ",".join(f"127.0.0.1:{port}" for port in (*others, self.port))
        return f"{head}{hosts}{tail}&target_session_attrs=read-write"


@asynccontextmanager
async def wire(dsn: str) -> AsyncIterator[Wire]:
    """A wire to the embedded server of a DSN."""
    parts = urlsplit(dsn)
    server = {name: values[0] for name, values in parse_qs(parts.query).items()}
    path = f"{server['host']}/.s.PGSQL.{server['port']}"
    found = Wire()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(path)
        found.connections += [writer, back]
        await asyncio.gather(pump(reader, back), pump(there, writer))

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                found.cancels += data.startswith(CANCEL_REQUEST)
                writer.write(data)
        except ConnectionError:
            pass  # either side may break off: that is what is tested
        finally:
            writer.close()

    listening = await asyncio.start_server(carry, "127.0.0.1", 0)
    found.port = listening.sockets[0].getsockname()[1]
    found.url = f"postgresql://{parts.username}@127.0.0.1:{found.port}{parts.path}?sslmode=disable"
    try:
        yield found
    finally:
        listening.close()
        for writer in found.connections:
            writer.close()


@contextmanager
def never_answering() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        yield listening.getsockname()[1]
