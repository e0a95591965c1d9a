"""Settings documents as REST gives them: several answers, one for each option, made one document."""

from typing import Final, NamedTuple

from projector.observations.leaves import together
from projector.observations.reading import Reach
from projector.observations.rows import Json
from projector.rest.endpoints import (
    ACCOUNT_LOCKS,
    ACCOUNT_SETTINGS,
    GROUP_LOCKS,
    GROUP_SETTINGS,
    USER_SETTINGS,
    Endpoint,
)

WITHOUT_OPTION: Final = ""
_MEETING: Final = "meeting_authentication"
_RECORDING: Final = "recording_authentication"
_SECURITY: Final = "meeting_security"
_OPTIONS: Final = (WITHOUT_OPTION, _MEETING, _RECORDING, _SECURITY)

# The options that make a whole document of an endpoint, each a call. Nothing in an answer tells them apart.
OPTIONS: Final[dict[Endpoint, tuple[str, ...]]] = {
    USER_SETTINGS: _OPTIONS,
    GROUP_SETTINGS: _OPTIONS,
    ACCOUNT_SETTINGS: (*_OPTIONS, "security"),
    GROUP_LOCKS: (WITHOUT_OPTION, _SECURITY),
    ACCOUNT_LOCKS: (WITHOUT_OPTION, _SECURITY),
}

_AUTHENTICATION: Final = "authentication_options"


class SeenDocument(NamedTuple):
    """A document, and as of when: the first of its answers, in epoch milliseconds."""

    document: Json
    as_of_ms: int


async def read_document(reach: Reach, endpoint: Endpoint, owner: str) -> SeenDocument | None:
    """The document of an account, a group or a person; None where nothing of it is readable.

    Raises NotThere.
    """
    answers = []
    for option in OPTIONS[endpoint]:
        parameters = {"option": option} if option else {}
        answer = await reach.get(endpoint, owner, **parameters)
        if answer is not None:
            answers.append((placed(option, answer.body), answer.as_of_ms))
    if not answers:
        return None
    return SeenDocument(
        together([document for document, _ in answers]), min(as_of for _, as_of in answers)
    )


def placed(option: str, answer: Json) -> Json:
    """An answer with its leaves where they are in the whole document.

    Answers about authentication are documented in two forms: with their leaves on top, where two options
    would overwrite one another, and below `authentication_options`. The second is the one that is kept.
    """
    if option not in (_MEETING, _RECORDING):
        return answer
    inner = answer.get(_AUTHENTICATION)
    if isinstance(inner, dict):
        return answer
    return {_AUTHENTICATION: {option: answer}}
