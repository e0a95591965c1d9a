"""Templates made into pages. Everything that comes from the directory is text, and is escaped."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from projector.console import words
from projector.console.documents import written

_STATIC: Final = files("projector.console") / "static"


@cache
def environment() -> Environment:
    """Return the templates: escaped without exception, and an unknown name is an error."""
    made = Environment(
        loader=PackageLoader("projector.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        path=_segment, number=words.number, json=written, iso=words.iso, ago=words.duration,
        exact=words.exact, told=told,
    )  # fmt: skip
    made.globals.update(static=static_address, address=address)
    return made


def render(template: str, **shown: Any) -> str:
    """Return a page as HTML."""
    return environment().get_template(template).render(shown)


def address(path: str, /, **query: Any) -> str:
    """Return an address with a query, of which empty parts are left out."""
    parts = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(parts)}" if parts else path


def told(text: str) -> Markup:
    """A sentence for an operator as HTML: what stands between backticks is a command, and set as one."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part
        for number, part in enumerate(parts)
    )


def person_address(account: str, user_id: str) -> str:
    """Return the address of a person's page."""
    return f"/people/{_segment(account)}/{_segment(user_id)}"


def group_address(account: str, group_id: str) -> str:
    """Return the address of a group's page."""
    return f"/groups/{_segment(account)}/{_segment(group_id)}"


def _segment(text: str) -> str:
    """A text as one segment of a path, whatever is in it."""
    return quote(text, safe="")


@cache
def static_files() -> dict[str, bytes]:
    """Return the style sheet and the script by name."""
    return {file.name: file.read_bytes() for file in _STATIC.iterdir() if file.is_file()}


@cache
def static_address(name: str) -> str:
    """Return the address of a static file, which changes whenever the file does."""
    digest = hashlib.sha256(static_files()[name]).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
