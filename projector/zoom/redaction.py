"""Redaction: a body without people in it, which still folds.

Kept are the structure, times, ids and event names, truth values, small numbers, and the words of Zoom's
reference, such as the values of an enumeration. Every other text or large number, known or not, becomes a
pseudonym: an allow-list, because a body holds whatever Zoom or somebody who plays Zoom put there.

Pseudonyms are made with a key that nobody keeps. Within one redaction equal values have equal pseudonyms, in
whatever field they stand, so joins survive; texts that differ in case alone have pseudonyms that do so too,
because e-mails are compared without it. A number keeps its number of digits, so that it fits its column or
does not, as before.
"""

import hmac
import json
import re
import secrets
from typing import Any, Final

from projector.zoom.bodies import DEEPEST, decode_json
from projector.zoom.delivery import LARGEST_INT8

# Under these names nothing is kept but truth values.
_PERSONAL: Final = {
    *("name", "first_name", "last_name", "display_name", "user_name", "account_name", "group_name"),
    *("email", "emails", "user_email_addresses", "operator", "by", "manager", "personal_notes"),
    *("phone_number", "phone_numbers", "phone_country", "pic_url", "vanity_name", "vanity_url"),
    *("dept", "department", "company", "job_title", "location", "cost_center", "reason"),
    *("custom_attributes", "host_key", "pmi_password"),
}
# Names of fields within what is personal; other names there could be people's own.
_FIELDS: Final = {"id", "key", "name", "value", "email", "type", "code", "country", "number"}
_CUSTOM_KEY: Final = re.compile(r"cbf_[A-Za-z0-9_-]{1,90}")

# Ids that Zoom gives out, and that of a run of ours. Others, such as an employee's, are people's own.
_IDS: Final = {
    *("id", "account_id", "user_id", "operator_id", "group_id", "group_ids", "primary_group_id"),
    *("owner_id", "entity_id", "run"),
}
_TIMES: Final = {"event_ts", "time_stamp", "date_time", "date-time", "user_created_at"}

_LONGEST_ID: Final = 100
_ID: Final = re.compile(r"[A-Za-z0-9_+/=-]{1,100}")
_FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_EVENT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,99}")
_VERSION: Final = re.compile(r"-|[0-9]{1,5}(\.[0-9]{1,6}){1,4}")  # a dash: Zoom does not know it
_INTEGER: Final = re.compile(r"-?[0-9]+")
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}(Z|[+-][0-9:]{4,6})?")

# Numbers from here on could be somebody's: a telephone, a meeting.
_LARGE: Final = 1_000_000
# Under a name that speaks of one of these, four digits are enough.
_LARGE_IF_TELLING: Final = 1_000
_TELLING: Final = re.compile(
    r"passw|passcode|phone|(^|_)pin($|_)|pmi|number|extension", re.IGNORECASE
)

# The values of enumerations, as Zoom's reference lists them and as facts of our own name them.
_WORDS: Final = frozenset(
    """
    AU American Available Away Basic Brazilian British Busy CA CN Chinese DE Do_Not_Disturb EU English French
    German HK IE IN In_Calendar_Event In_Meeting Japanese Korean LA MX Mexican Mobile_signed_in NL None
    Offline On_Phone_Call Plus Portuguese Presenting Russian SG Spanish TY US account activated all always
    android anyone auto autoCreate browser change_password chromeos cloud create custCreate
    custom_live_streaming_service deactivated desktop e2ee enhanced_encryption facebook host ipad iphone
    jbh_only linux local mac mask_default mask_except_last_4 mask_first_5 mobile multiple never none one
    organization pad pzr selected sign_out_from_all_devices ssoCreate win workplace_by_facebook youtube
    active inactive pending Admin Member Owner true false True False legacy priority
    deliveries groups users settings memberships group_admins presence sign_ins user_settings group_settings
    account_settings group_locks account_locks personal_note freshness user group membership group_admin
    """.split()  # noqa: SIM905  a hundred quotation marks read worse
)


class Redactor:
    """Redacts the bodies of one export, all with one key."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def body(self, body: bytes) -> bytes | None:
        """Return a redacted body, as ASCII; None where it is no JSON object.

        What is nested too deeply to be folded stays so, cut off below that. Spacing, and all but the last of
        equal names, are gone: bodies that differed in these alone become one event.
        """
        try:
            decoded = decode_json(body)
        except ValueError:
            return None
        if not isinstance(decoded, dict):
            return None
        redacted = self._object(decoded, DEEPEST + 1, personal=False)
        event = decoded.get("event")
        if isinstance(event, str) and _EVENT_NAME.fullmatch(event):
            redacted["event"] = event
        return json.dumps(redacted, separators=(",", ":")).encode("ascii")

    def identifier(self, text: str | None) -> str | None:
        """Return an id as it is, and what does not look like one as a pseudonym."""
        return None if text is None else self._id(text)

    def _id(self, text: str) -> str:
        if _ID.fullmatch(text) or not text.strip():
            return text
        pseudonym = self._text(text)
        # One that is too long to be an id stays so.
        return pseudonym if len(text) <= _LONGEST_ID else pseudonym.ljust(_LONGEST_ID + 1, "x")

    def _object(self, value: dict[str, Any], levels: int, *, personal: bool) -> dict[str, Any]:
        return {
            self._name(name, personal=personal): self._value(
                name, item, levels - 1, personal=personal or name in _PERSONAL
            )
            for name, item in value.items()
        }

    def _name(self, name: str, *, personal: bool) -> str:
        is_field = name in _FIELDS if personal else _FIELD_NAME.fullmatch(name)
        return name if is_field or not name.strip() else self._text(name)

    def _value(self, name: str, value: Any, levels: int, *, personal: bool) -> Any:
        match value:
            case None | bool():
                return value
            case str():
                return self._string(name, value, personal=personal)
            case int() | float():
                return self._number(name, value, personal=personal)
            case _ if not levels:
                return None
            case dict():
                return self._object(value, levels, personal=personal)
            case _:
                return [self._value(name, item, levels - 1, personal=personal) for item in value]

    def _string(self, name: str, text: str, *, personal: bool) -> str:
        if not text.strip():
            return text
        if personal:
            is_key = name == "key" and _CUSTOM_KEY.fullmatch(text)
            return text if is_key else self._text(text)
        if name in _IDS:
            return self._id(text)
        if self._is_plain(name, text):
            return text
        if _INTEGER.fullmatch(text) and len(text) <= _LONGEST_ID:
            return self._digits(name, text)
        return self._text(text)

    def _is_plain(self, name: str, text: str) -> bool:
        """Whether a text says nothing of anybody."""
        if name in _TIMES:
            return bool(_MOMENT.fullmatch(text) or _INTEGER.fullmatch(text))
        return text in _WORDS or (name == "version" and _VERSION.fullmatch(text) is not None)

    def _digits(self, name: str, text: str) -> str:
        """A number that came as a text; its zeros in front stay."""
        sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
        significant = digits.lstrip("0")
        if not significant:
            return text
        number = self._number(name, int(significant), personal=False)
        return f"{sign}{'0' * (len(digits) - len(significant))}{number}"

    def _number(self, name: str, number: float, *, personal: bool) -> float:
        size = abs(number)
        if name in _TIMES or not size < float("inf"):
            return number
        large = 1 if personal else _LARGE_IF_TELLING if _TELLING.search(name) else _LARGE
        if size < large:
            return number
        digits = max(len(str(int(size))), 9 if personal else 1)
        least, end = 10 ** (digits - 1), 10**digits
        if size <= LARGEST_INT8:
            end = min(end, LARGEST_INT8 + 1)
        else:
            least = max(least, LARGEST_INT8 + 1)
        pseudonym: int = least + int.from_bytes(self._mac(str(int(size))), "big") % (end - least)
        return -pseudonym if number < 0 else pseudonym

    def _text(self, text: str) -> str:
        lower = text.lower()
        letters = _letters(self._mac(lower))
        if text != lower:
            other = _letters(self._mac(text))
            letters = "".join(
                c.upper() if o < "i" else c for c, o in zip(letters, other, strict=True)
            )
        return f"{letters}@redacted.invalid" if "@" in text else f"x{letters}"

    def _mac(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")


_TO_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def _letters(mac: bytes) -> str:
    """The first 80 bits as letters, which have two cases."""
    return mac[:10].hex().translate(_TO_LETTERS)
