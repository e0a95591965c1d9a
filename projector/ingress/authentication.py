"""Who may deliver: senders that sign with a live secret, or anybody if so configured."""

from collections.abc import Sequence
from typing import NamedTuple

from projector.config import Settings
from projector.errors import ConfigurationError
from projector.listening import is_loopback
from projector.zoom.signature import Refusal, fingerprint, verify


class SignatureCheck(NamedTuple):
    """The fingerprint of the signing secret (None: unsigned, and allowed), or a refusal."""

    verified_by: str | None
    refusal: Refusal | None = None


class Authenticator:
    """Checks requests against every live secret."""

    def __init__(self, secrets: Sequence[bytes], *, allow_unsigned: bool) -> None:
        self._secrets = tuple(secrets)
        self._allow_unsigned = allow_unsigned
        self._by_fingerprint = {fingerprint(secret): secret for secret in self._secrets}

    def check(
        self, timestamp: str | None, signature: str | None, body: bytes, now: float
    ) -> SignatureCheck:
        """Check a request's signature by its two headers and its raw body; `now` is in epoch seconds."""
        result = verify(self._secrets, timestamp, signature, body, now)
        if not isinstance(result, Refusal):
            return SignatureCheck(result)
        if self._allow_unsigned and (signature is None or not self._secrets):
            return SignatureCheck(None)
        return SignatureCheck(None, result)

    def secret(self, verified_by: str) -> bytes:
        """The secret of a fingerprint that `check` returned."""
        return self._by_fingerprint[verified_by]


def authenticator(settings: Settings) -> Authenticator:
    """The authenticator that the settings ask for.

    Raises ConfigurationError if anybody could deliver without a signature.
    """
    secrets = settings.secrets()
    if settings.allow_unsigned and not is_loopback(settings.host):
        raise ConfigurationError(
            "PROJECTOR_ALLOW_UNSIGNED works only on a loopback address; "
            "set PROJECTOR_HOST to 127.0.0.1, or unset it"
        )
    if not secrets and not settings.allow_unsigned:
        raise ConfigurationError(
            "no secret token to check deliveries with; set PROJECTOR_ZOOM_SECRET_TOKENS "
            "to the one that Zoom shows for your app"
        )
    return Authenticator(secrets, allow_unsigned=settings.allow_unsigned)
