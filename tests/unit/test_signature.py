"""Signatures: known answers, every refusal, several live secrets."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.zoom.signature import (
    TOLERANCE_SECONDS,
    Refusal,
    encrypted_token,
    fingerprint,
    headers_refused,
    sign,
    signer,
    verify,
)

OLD, NEW = b"an old secret", b"a new secret"
NOW = 1_800_000_000
BODY = b'{"event":"user.created"}'


def test_sign_is_the_documented_construction() -> None:
    expected = hmac.new(OLD, b"v0:1800000000:" + BODY, hashlib.sha256).hexdigest()
    assert sign(OLD, NOW, BODY) == f"v0={expected}"


def test_encrypted_token_is_the_hmac_of_the_plain_one() -> None:
    assert encrypted_token(OLD, "tök") == hmac.new(OLD, "tök".encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_each_live_secret_verifies_and_is_named(secret: bytes) -> None:
    assert verify((OLD, NEW), str(NOW), sign(secret, NOW, BODY), BODY, NOW) == fingerprint(secret)


def test_a_fingerprint_is_short_distinct_and_not_the_secret() -> None:
    assert fingerprint(OLD) != fingerprint(NEW)
    assert len(fingerprint(OLD)) == 12
    assert fingerprint(OLD) == hashlib.sha256(b"fingerprint:" + OLD).hexdigest()[:12]


@pytest.mark.parametrize("skew", [-TOLERANCE_SECONDS, 0, TOLERANCE_SECONDS])
def test_the_tolerance_counts_both_ways(skew: int) -> None:
    sent = NOW + skew
    assert verify((OLD,), str(sent), sign(OLD, sent, BODY), BODY, NOW) == fingerprint(OLD)


@pytest.mark.parametrize("skew", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1, -NOW])
def test_beyond_the_tolerance_is_stale(skew: int) -> None:
    sent = NOW + skew
    assert verify((OLD,), str(sent), sign(OLD, sent, BODY), BODY, NOW) is Refusal.STALE


def test_a_stale_request_with_a_wrong_signature_is_wrong() -> None:
    assert verify((OLD,), "1", sign(NEW, 1, BODY), BODY, NOW) is Refusal.WRONG


@pytest.mark.parametrize(
    ("timestamp", "signature", "refusal"),
    [
        (None, sign(OLD, NOW, BODY), Refusal.MISSING),
        (str(NOW), None, Refusal.MISSING),
        ("", "", Refusal.MISSING),
        ("soon", sign(OLD, NOW, BODY), Refusal.MALFORMED),
        ("-1", sign(OLD, NOW, BODY), Refusal.MALFORMED),
        ("١٨", sign(OLD, NOW, BODY), Refusal.MALFORMED),
        ("1" * 16, sign(OLD, NOW, BODY), Refusal.MALFORMED),
        (str(NOW), sign(OLD, NOW, BODY).upper(), Refusal.MALFORMED),
        (str(NOW), sign(OLD, NOW, BODY)[3:], Refusal.MALFORMED),
        (str(NOW), sign(OLD, NOW, BODY) + "\n", Refusal.MALFORMED),
        (str(NOW), "v0=" + "0" * 64, Refusal.WRONG),
    ],
)
def test_refusals(timestamp: str | None, signature: str | None, refusal: Refusal) -> None:
    assert verify((OLD,), timestamp, signature, BODY, NOW) is refusal


def test_no_secret_verifies_nothing() -> None:
    assert verify((), str(NOW), sign(b"", NOW, BODY), BODY, NOW) is Refusal.WRONG


def test_the_signer_is_found_whatever_the_age() -> None:
    assert signer((NEW, OLD), "1", sign(OLD, 1, BODY), BODY) == OLD
    assert signer((NEW,), "1", sign(OLD, 1, BODY), BODY) is None


@given(body=st.binary(max_size=200), flip=st.integers(min_value=0, max_value=199))
def test_one_changed_byte_breaks_a_signature(body: bytes, flip: int) -> None:
    signature = sign(OLD, NOW, body)
    changed = bytearray(body or b"\x00")
    changed[flip % len(changed)] ^= 1
    assert verify((OLD,), str(NOW), signature, body, NOW) == fingerprint(OLD)
    assert verify((OLD,), str(NOW), signature, bytes(changed), NOW) is Refusal.WRONG


@given(timestamp=st.text(max_size=30), signature=st.text(max_size=80), body=st.binary(max_size=50))
def test_hostile_headers_are_refused_and_raise_nothing(
    timestamp: str, signature: str, body: bytes
) -> None:
    assert verify((OLD, NEW), timestamp, signature, body, NOW) in set(Refusal)
    assert headers_refused(timestamp, "v0=zz") in (Refusal.MISSING, Refusal.MALFORMED)
