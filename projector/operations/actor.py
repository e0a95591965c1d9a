"""Who acts, and why, as an act tells it."""

import getpass
import os
import socket
from typing import Final

from projector.errors import ConfigurationError

LONGEST: Final = 1000


def system_user() -> str:
    """Return the user of the system and the host: who acts where nobody is named."""
    return f"{_user()}@{socket.gethostname()}"


def said(name: str, text: str) -> str:
    """Return a text as somebody gave it. Raises ConfigurationError, naming it, where it says nothing."""
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise ConfigurationError(f"{name} takes a text of 1 to {LONGEST} characters")
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return f"uid {os.getuid()}"
