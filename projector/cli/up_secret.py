"""The secret of `up`: the configured one, else one that it makes for itself."""

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from projector.cli.running import data_dir_of
from projector.config import Settings
from projector.embedded import prepare_data_dir
from projector.errors import ConfigurationError

SECRET_FILE = "zoom-secret-token"  # noqa: S105  a file's name


def check_secret(settings: Settings) -> bool:
    """Whether a secret is configured; makes none.

    Raises ConfigurationError where it is blank, because deliveries signed with the one that was meant would
    all be refused; and where the one that was made before cannot be read.
    """
    if settings.secrets():
        return True
    if settings.zoom_secret_tokens or settings.zoom_secret_tokens_file:
        raise ConfigurationError(
            "PROJECTOR_ZOOM_SECRET_TOKENS, or the file that it is read from, holds no secret; "
            "write the Zoom app's secret token there, or set neither to try things out"
        )
    known_secret(data_dir_of(settings))
    return False


def with_secret(settings: Settings) -> Settings:
    """Return the settings with a secret, which is made where there is none. Raises as check_secret does."""
    if check_secret(settings):
        return settings
    token = _own_secret(prepare_data_dir(data_dir_of(settings)))
    return settings.model_copy(update={"zoom_secret_tokens": SecretStr(token)})


def _own_secret(data_dir: Path) -> str:
    """Return the secret of a data directory; makes one where there is none, whole or not at all."""
    path, partial = data_dir / SECRET_FILE, data_dir / f"{SECRET_FILE}.{os.getpid()}"
    known = known_secret(data_dir)
    if known is not None:
        return known
    token = secrets.token_urlsafe(24)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token)
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(partial)
    except FileExistsError:  # another `up` was faster: one secret for both
        return known_secret(data_dir) or token
    finally:
        partial.unlink()
    return token


def known_secret(data_dir: Path) -> str | None:
    """Return the secret that `up` made in a data directory, or None. Raises ConfigurationError."""
    path = data_dir / SECRET_FILE
    try:
        token = path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read ({type(error).__name__}); run this as the user who runs "
            "`projector up`"
        ) from None
    if not token:
        raise ConfigurationError(f"{path} is empty; delete it and start `projector up` again")
    return token
