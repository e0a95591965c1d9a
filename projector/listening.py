"""Where a process of ours listens: whether it can, who reaches it there, and at which URL."""

import errno
import os
import socket
from ipaddress import ip_address

from projector.errors import ProjectorError


def is_loopback(host: str) -> bool:
    """Whether an address is reachable only from this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def local_address(host: str, port: int) -> str:
    """Return the URL by which this machine reaches what listens there."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  named, not bound
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def check_address(host: str, port: int, setting: str = "PORT") -> None:
    """Raise ProjectorError where nobody could listen there now; `setting` is named with PROJECTOR_ before."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        raise cannot_listen(error, host, port, setting) from None


def cannot_listen(error: OSError, host: str, port: int, setting: str = "PORT") -> ProjectorError:
    """Return the error that says why nobody can listen there, and which setting changes that."""
    if error.errno == errno.EADDRINUSE:
        return ProjectorError(
            f"port {port} of {host} is in use by another process; "
            f"stop that one or set PROJECTOR_{setting}"
        )
    number = error.errno or 0  # negative where a name cannot be resolved
    reason = os.strerror(number) if number > 0 else error.strerror or type(error).__name__
    return ProjectorError(
        f"cannot listen on port {port} of {host} ({reason}); "
        f"check PROJECTOR_{setting.replace('PORT', 'HOST')} and PROJECTOR_{setting}"
    )
