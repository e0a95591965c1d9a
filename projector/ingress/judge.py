"""The judge: decides in one place how a request with its body is answered, before anything is done.

Zoom retries after a 503 and never after a 4xx. So 4xx means that the delivery is wrong, and any fault of
ours is a 503.
"""

import time
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import msgspec
from multidict import MultiMapping

from projector.ingress.authentication import Authenticator
from projector.ingress.exchange import Exchange
from projector.ingress.problems import Problem
from projector.ingress.refusals import VALIDATION
from projector.zoom.bodies import decode_json
from projector.zoom.catalogue import ALIASES, URL_VALIDATION
from projector.zoom.delivery import Delivery, head_of
from projector.zoom.signature import Refusal, encrypted_token


class Append(NamedTuple):
    """Append the delivery to the log; the outcome is the answer."""

    delivery: Delivery


class Validate(NamedTuple):
    """Answer a URL validation with this JSON."""

    answer: bytes


class Refuse(NamedTuple):
    """Answer with a problem. `keep`: the reason to quarantine the body; None: do not keep it.

    `why`: as which it is counted.
    """

    problem: Problem
    why: str
    keep: str | None = None


Decision: TypeAlias = Append | Validate | Refuse


class Judged(NamedTuple):
    """A request and the decision on it."""

    exchange: Exchange
    decision: Decision


def judge(exchange: Exchange, authenticator: Authenticator) -> Decision:
    """Decide on a request whose body has been read; sets its `verified_by` and `event`.

    Touches nothing else: no database, no quarantine, no metric.
    """
    headers = exchange.headers
    checked = authenticator.check(
        headers.get("x-zm-request-timestamp"),
        headers.get("x-zm-signature"),
        exchange.body,
        time.time(),
    )
    if checked.refusal is not None:
        genuine = checked.refusal in (Refusal.WRONG, Refusal.STALE)
        why = str(checked.refusal)
        return Refuse(Problem.UNSIGNED, why, why if genuine else None)
    exchange.verified_by = checked.verified_by
    if not is_plain_json(headers):
        return _malformed(exchange, Problem.NOT_JSON)
    try:
        head = head_of(exchange.body)
    except ValueError:
        return _malformed(exchange, Problem.NOT_AN_EVENT)
    exchange.event = head.event
    if head.event == URL_VALIDATION:
        return _validate(exchange, authenticator)
    if not _agrees(exchange.named, head.event):
        return _malformed(exchange, Problem.OTHER_EVENT)
    return Append(exchange.delivery(head))


def _malformed(exchange: Exchange, problem: Problem) -> Refuse:
    return Refuse(problem, problem.slug, problem.slug if exchange.verified_by is not None else None)


def _validate(exchange: Exchange, authenticator: Authenticator) -> Validate | Refuse:
    """Answer with the secret that signed the request."""
    if exchange.verified_by is None:
        # Encrypting an unsigned request's token would sign anything for anybody.
        return Refuse(Problem.NO_SECRET, VALIDATION)
    payload = decode_json(exchange.body).get("payload")
    plain = payload.get("plainToken") if isinstance(payload, dict) else None
    if not isinstance(plain, str):
        return Refuse(Problem.NO_TOKEN, VALIDATION)
    try:
        encrypted = encrypted_token(authenticator.secret(exchange.verified_by), plain)
    except UnicodeEncodeError:
        return Refuse(Problem.NO_TOKEN, VALIDATION)
    return Validate(msgspec.json.encode({"plainToken": plain, "encryptedToken": encrypted}))


def is_plain_json(headers: MultiMapping[str]) -> bool:
    """Whether the headers say JSON without a content encoding."""
    encoding = headers.get("content-encoding")
    if encoding is not None and encoding.strip().lower() != "identity":
        return False
    return _says_json(headers.get("content-type", ""))


@lru_cache(maxsize=64)
def _says_json(content_type: str) -> bool:
    media = content_type.partition(";")[0].strip().lower()
    return media == "application/json" or (
        media.startswith("application/") and media.endswith("+json")
    )


def _agrees(named: str | None, event: str) -> bool:
    return named is None or ALIASES.get(named, named) == ALIASES.get(event, event)
