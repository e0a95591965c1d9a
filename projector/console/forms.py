"""What a form sent."""

from typing import Final

from aiohttp import web

from projector.console.errors import Misasked

FORM: Final = "application/x-www-form-urlencoded"


async def form_of(request: web.Request) -> dict[str, str]:
    """Return the fields of a form, each of which is there once. Raises Misasked for anything else.

    A body over the application's limit is a 413 of aiohttp's.
    """
    if request.content_type != FORM:
        raise Misasked("the console takes forms as its own pages send them, and nothing else")
    try:
        sent = await request.post()
    except (UnicodeDecodeError, LookupError, ValueError):
        raise Misasked("the form is not in UTF-8") from None
    fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    if len(fields) != len(sent):
        raise Misasked("a field of the form is there twice; load the page again, and repeat it")
    return fields


def way_back(address: str) -> str:
    """Return the address on this site to which an action leads back; the overview for any other."""
    is_local = address.startswith("/") and not address.startswith("//")
    if is_local and "\\" not in address and address.isascii() and address.isprintable():
        return address
    return "/"
