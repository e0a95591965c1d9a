"""What the catalogue says that folds read of an event: as a type to decode into, and as a cut.

Both leave the same of a body, so it does not matter which way it was decoded.
"""

from types import GenericAlias
from typing import Annotated, Any, Final, NotRequired, Required, TypedDict

import msgspec

from projector.zoom.catalogue import EventType, Fields

_Milliseconds = Annotated[int, msgspec.Meta(ge=0)]
_Identifier = Annotated[str, msgspec.Meta(min_length=1)]
_Value = str | int | float | bool | None

_typed_dict: Final[Any] = TypedDict


class _SkimmedObject(TypedDict, total=False):
    id: Required[_Identifier]
    email: _Value
    settings: Any


class _Skimmed(msgspec.Struct, gc=False):
    """What merge tables read of events with documents, and whom these are about.

    Of documents the settings alone, for their paths.
    """

    object: _SkimmedObject
    account_id: _Identifier
    operation: _Value = None
    operator: Any = None


def body_type(sent_name: str, row: EventType, *, skim: bool) -> type[msgspec.Struct]:
    """The type of a body whose `event` is `sent_name`; it takes nothing but usual deliveries.

    `skim`: documents but settings are left out.
    """
    if row.reads is not None:
        payload: Any = _payload_type(row.reads)
    else:
        payload = _Skimmed if skim else dict[str, Any]
    return msgspec.defstruct(
        "Body",
        [("payload", payload), ("event_ts", _Milliseconds), ("operator", Any, None)],
        tag_field="event",
        tag=sent_name,
        gc=False,
    )


def cut(value: Any, fields: Fields) -> Any:
    """The same of what is decoded already: of objects, alone or in arrays, only these fields."""
    if isinstance(value, list):
        return [cut(item, fields) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: cut(value[name], inner) if isinstance(inner, dict) else value[name]
        for name, inner in fields.items()
        if name in value
    }


def _payload_type(reads: Fields) -> type[msgspec.Struct]:
    old_object: Any = _object_type(reads, id=NotRequired[_Value])
    return msgspec.defstruct(
        "Payload",
        [
            ("object", _object_type(reads, id=Required[_Identifier])),
            ("account_id", _Identifier),
            ("operator", Any, None),
            ("old_object", old_object | None, None),
        ],
        gc=False,
    )


def _object_type(fields: Fields, **more: Any) -> Any:
    types = {name: NotRequired[_field_type(inner)] for name, inner in fields.items()}
    return _typed_dict("Object", types | more)


def _field_type(inner: Fields | str | None) -> Any:
    if inner is None:
        return _Value
    if not isinstance(inner, dict):
        return list[_Value] | None
    found = _object_type(inner)
    return found | GenericAlias(list, (found,)) | None
