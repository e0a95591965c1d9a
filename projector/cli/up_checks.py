"""What would keep `up` from running, found before anything is made."""

from pydantic import SecretStr

from projector.cli.console_command import check_console_can_listen
from projector.cli.running import data_dir_of
from projector.cli.up_secret import check_secret
from projector.config import Settings
from projector.database_address import wrong_with
from projector.embedded import check_startable
from projector.ingress.authentication import authenticator
from projector.ingress.clients import trusted_networks
from projector.listening import check_address
from projector.rest.session import has_credentials

_SOME: SecretStr = SecretStr("to be made")


def check_up(settings: Settings) -> None:
    """Raise ProjectorError where `up` could not start: settings, programs, folder, ports."""
    url = settings.given_database_url()
    if url is None:
        check_startable(data_dir_of(settings))
    elif (wrong := wrong_with(url)) is not None:
        raise wrong
    if not check_secret(settings):
        settings = settings.model_copy(update={"zoom_secret_tokens": _SOME})
    authenticator(settings)
    trusted_networks(settings.trusted_proxies)
    has_credentials(settings)
    check_address(settings.host, settings.port)
    check_console_can_listen(settings)
    if settings.health_port is not None:
        check_address(settings.health_host, settings.health_port, "HEALTH_PORT")
