"""CPU seconds of a database server on this machine, all its processes together."""

import asyncpg
import psutil


async def server_of(url: str) -> psutil.Process | None:
    """The server's first process; None where the server runs elsewhere."""
    connection = await asyncpg.connect(url)
    try:
        backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
        return backend.parent() if "postgres" in backend.name() else None
    except psutil.NoSuchProcess:
        return None
    finally:
        await connection.close()


def server_seconds(server: psutil.Process | None) -> float:
    """CPU seconds so far, those of processes that have ended included; 0 for None."""
    if server is None:
        return 0.0
    seconds = sum(server.cpu_times()[:4])  # its own, and those of children that have ended
    for child in server.children():
        try:
            seconds += sum(child.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue  # it has ended just now; the server's own times will say so
    return float(seconds)
