"""Settings: read from the environment once, validated, frozen."""

import os
from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from projector.errors import ConfigurationError

# Bytes. The ingress takes no body that would not fit on a line of an export, which an import must read.
LONGEST_BODY: Final = 32 * 1024 * 1024


PREFIX: Final = "PROJECTOR_"


class LogFormat(StrEnum):
    """The format of log lines."""

    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least severe level that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Plan(StrEnum):
    """Zoom's plan of the account, which decides the rates of its REST API."""

    FREE = "free"
    PRO = "pro"
    BUSINESS = "business"
    UNLIMITED = "unlimited"


def _web_address(text: str) -> str:
    """A URL to which a path may be added. Raises ValueError for anything else."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # its words may hold the URL
        good = False
    if not good:
        raise ValueError("it must be a URL that begins with https:// or http://")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("it must be a URL without user, query or fragment")
    return text


_WebAddress = Annotated[str, AfterValidator(_web_address)]


class Settings(BaseSettings):
    """Every setting of the product; a test compares the README's table with this class."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True
    )

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL to use; absent: an embedded server in the data directory"
    )
    data_dir: Path | None = Field(
        None, description="where the embedded server keeps its data and `up` its secret"
    )
    embedded_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="port of 127.0.0.1 for logins with a password to the embedded server; absent: none",
    )
    zoom_secret_tokens: Annotated[SecretStr | None, NoDecode] = Field(
        None, description="secret tokens of the Zoom apps, comma-separated; all are live at once"
    )
    zoom_secret_tokens_file: Path | None = Field(
        None, description="a file that holds them instead, comma- or line-separated"
    )
    database_url_file: Path | None = Field(
        None, description="a file that holds PROJECTOR_DATABASE_URL instead"
    )
    zoom_account_id: str | None = Field(
        None, description="account id of the Server-to-Server OAuth app that asks Zoom's REST API"
    )
    zoom_client_id: SecretStr | None = Field(None, description="client id of that app")
    zoom_client_secret: SecretStr | None = Field(None, description="client secret of that app")
    zoom_client_secret_file: Path | None = Field(
        None, description="a file that holds PROJECTOR_ZOOM_CLIENT_SECRET instead"
    )
    zoom_app_id: SecretStr | None = Field(
        None, description="id of the app with the event subscriptions, to read its delivery log"
    )
    zoom_plan: Plan = Field(
        Plan.PRO,
        description="the account's plan: `free`, `pro`, `business` (and above), or `unlimited`: no pacing",
    )
    zoom_api_share: float = Field(
        0.5, gt=0, le=1, description="the part of the plan's rates that is taken; apps share them"
    )
    zoom_api_url: _WebAddress = Field(
        "https://api.zoom.us/v2", description="Zoom's REST API, or one that plays it"
    )
    zoom_token_url: _WebAddress = Field(
        "https://zoom.us/oauth/token", description="where tokens are asked for"
    )
    allow_unsigned: bool = Field(
        False, description="take unsigned deliveries; on a loopback address alone"
    )
    host: str = Field("127.0.0.1", description="address of the ingress")
    port: int = Field(8080, ge=0, le=65535, description="port of the ingress; 0: any free one")
    health_host: str = Field(
        "127.0.0.1", description="address of a `project` process's health port"
    )
    health_port: int | None = Field(
        None, ge=0, le=65535, description="port of /livez and /metrics in a `project` process"
    )
    trusted_proxies: str = Field(
        "",
        description="addresses or networks whose forwarded addresses and users are believed, comma-separated",
    )
    console_host: str = Field(
        "127.0.0.1",
        description="address of the console; others than loopback need the header below",
    )
    console_port: int = Field(
        8090, ge=0, le=65535, description="port of the console; 0: any free one"
    )
    console_user_header: str = Field(
        "",
        pattern=r"^[A-Za-z0-9-]*$",
        description="header in which a trusted proxy names the console's user; absent: one-time addresses",
    )
    console_operators: str = Field(
        "",
        description="who may act in the console, by the name that it shows, comma-separated; absent: nobody",
    )
    max_body_bytes: int = Field(
        1_048_576,
        ge=1024,
        le=LONGEST_BODY,
        description="largest body, in bytes; compressed ones are refused",
    )
    max_connections: int = Field(1000, ge=1, description="connections the ingress serves at once")
    drain_seconds: float = Field(
        5.0, ge=0, description="how long a replica serves on after SIGTERM, unready, in seconds"
    )
    append_queue: int = Field(
        2000, ge=1, description="deliveries that may wait for an append at once"
    )
    duplicate_days: float = Field(
        30, ge=2, le=36_500, description="how long duplicates are remembered, in days"
    )
    quarantine_rows: int = Field(10_000, ge=0, description="most rows that the quarantine holds")
    quarantine_bytes: int = Field(
        67_108_864, ge=0, description="most bytes of bodies that the quarantine holds"
    )
    quarantine_per_second: float = Field(
        20, ge=0, description="most quarantine writes a second and replica"
    )
    not_subscribed: str = Field(
        "",
        description="events left out of the subscription on purpose, comma-separated; `check` expects none",
    )
    batch_events: int = Field(
        5000, ge=1, le=1_000_000, description="most events that a projector folds at once"
    )
    log_format: LogFormat | None = Field(
        None,
        description="`json` or `console`; absent: console on a terminal (`up`: a file), JSON elsewhere",
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="`debug`, `info`, `warning` or `error`")

    @model_validator(mode="after")
    def _one_source_each(self) -> Self:
        for plain, file in (
            (self.zoom_secret_tokens, self.zoom_secret_tokens_file),
            (self.database_url, self.database_url_file),
            (self.zoom_client_secret, self.zoom_client_secret_file),
        ):
            if plain is not None and file is not None:
                raise ValueError("a setting and its _FILE form are both given; keep one")
        return self

    def secrets(self) -> tuple[bytes, ...]:
        """Return the secret tokens, all of them live, in the order given; empty where none is configured.

        Raises ConfigurationError where the file cannot be read.
        """
        if self.zoom_secret_tokens is not None:
            text = self.zoom_secret_tokens.get_secret_value()
        elif self.zoom_secret_tokens_file is not None:
            text = _read(self.zoom_secret_tokens_file, "PROJECTOR_ZOOM_SECRET_TOKENS_FILE")
        else:
            return ()
        tokens = (token.strip() for token in text.replace("\n", ",").split(","))
        return tuple(token.encode() for token in tokens if token)

    def client_secret(self) -> str | None:
        """Return the client secret, or None where none, or a blank one, is configured.

        Raises ConfigurationError where the file cannot be read.
        """
        if self.zoom_client_secret is not None:
            text = self.zoom_client_secret.get_secret_value()
        elif self.zoom_client_secret_file is not None:
            text = _read(self.zoom_client_secret_file, "PROJECTOR_ZOOM_CLIENT_SECRET_FILE")
        else:
            return None
        return text.strip() or None

    def given_database_url(self) -> str | None:
        """Return the database URL that is configured, or None: the embedded server is meant.

        Raises ConfigurationError where the file cannot be read or the URL is blank.
        """
        if self.database_url is not None:
            url = self.database_url.get_secret_value().strip()
        elif self.database_url_file is not None:
            url = _read(self.database_url_file, "PROJECTOR_DATABASE_URL_FILE").strip()
        else:
            return None
        if not url:
            raise ConfigurationError(
                "PROJECTOR_DATABASE_URL, or the file that it is read from, is blank; write the "
                "database's URL there, or set neither to use the embedded server"
            )
        return url


def _read(path: Path, setting: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{setting} names {path}, which cannot be read ({type(error).__name__}); "
            "check the path and its permissions"
        ) from None


def load_settings() -> Settings:
    """Read the environment. Raises ConfigurationError naming each bad setting, never its value."""
    _refuse_unknown(os.environ)
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        problems = "; ".join(
            f"{_variable(problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(f"{problems}; see the table of settings in the README") from None


def _refuse_unknown(names: Iterable[str]) -> None:
    """Raise ConfigurationError for a variable that looks like a setting and is none."""
    known = [_variable((name,)) for name in Settings.model_fields]
    for name in sorted(names):
        if name.startswith(PREFIX) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1, cutoff=0)
            raise ConfigurationError(
                f"{name} is no setting; is {near[0]} meant? See the table of settings in the README, "
                "and unset what is not in it"
            )


def _variable(location: tuple[int | str, ...]) -> str:
    return PREFIX + str(location[0]).upper() if location else "settings"
