"""Who is meant: one person of one account, with every id, e-mail and name that is known of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from projector.database import Database
from projector.errors import ProjectorError
from projector.history.timeline import people_found
from projector.statements import queries

_SQL: Final = queries("subjects")

BY_EMAIL: Final = "email:"
# For statements that no index helps.
LOOK_SECONDS: Final = 600.0


class NobodyMeant(ProjectorError):
    """Nobody is known by that, or it is not clear who is meant."""


@dataclass(frozen=True)
class Person:
    """One person.

    `keys`: as state has them, lower-cased ids, and `email:` with an e-mail for entries without an id.
    `ids`, `emails`, `names`: as they were spelled. `shared`: the ids of others, by an e-mail they had too.
    `elsewhere`: other accounts in which somebody is found by the same.
    """

    account_id: str
    keys: frozenset[str]
    ids: tuple[str, ...]
    emails: tuple[str, ...]
    names: tuple[str, ...]
    shared: dict[str, frozenset[str]]
    elsewhere: frozenset[str]

    @property
    def id(self) -> str:
        """The id by which an act names them: that of an entry without one is `email:` with the e-mail."""
        return (self.ids or tuple(sorted(self.keys)))[0]

    @property
    def own_ids(self) -> frozenset[str]:
        """Their ids, lower-cased."""
        return frozenset(key for key in self.keys if not key.startswith(BY_EMAIL))

    @property
    def own_emails(self) -> frozenset[str]:
        """Their e-mails, lower-cased."""
        return frozenset(email.lower() for email in self.emails)


async def find_person(database: Database, who: str, account: str | None = None) -> Person:
    """Return who is meant: an id in any case, or any e-mail that the person ever had.

    Raises NobodyMeant where that is nobody, or people of several accounts, or several people of one.
    """
    found = {tuple(row) for row in await people_found(database, who)}
    found |= {
        tuple(row) for row in await database.fetch(_SQL["people_named"], who, timeout=LOOK_SECONDS)
    }
    accounts = sorted({one for one, _ in found})
    mine = _account(accounts, account)
    keys = _keys({key for one, key in found if one == mine}, who)
    person = Person(mine, keys, (), (), (), {}, frozenset(accounts) - {mine})
    rows = await database.fetch(_SQL["known_of_person"], mine, sorted(keys), timeout=LOOK_SECONDS)
    told = {kind: tuple(v for k, v in rows if k == kind) for kind in ("id", "email", "name")}
    person = replace(person, ids=told["id"] or tuple(sorted(person.own_ids)), names=told["name"])
    listed = [key.removeprefix(BY_EMAIL) for key in keys if key.startswith(BY_EMAIL)]
    return await with_emails(database, person, [*told["email"], *listed])


async def with_emails(database: Database, person: Person, emails: Iterable[str]) -> Person:
    """Return the person with further e-mails, and the keys of entries that name these and no id."""
    every = tuple(sorted({*person.emails, *(email for email in emails if email.strip())}))
    lower = sorted({email.lower() for email in every})
    keys = person.keys | {f"{BY_EMAIL}{email}" for email in lower}
    shared: dict[str, set[str]] = {}
    rows = await database.fetch(
        _SQL["others_with_emails"], person.account_id, sorted(keys), lower, timeout=LOOK_SECONDS
    )
    for key, email in rows:
        shared.setdefault(email, set()).add(key)
    return replace(
        person,
        keys=keys,
        emails=every,
        shared={email: frozenset(others) for email, others in shared.items()},
    )


def _account(accounts: list[str], asked: str | None) -> str:
    if asked is not None:
        accounts = [one for one in accounts if one == asked]
    match accounts:
        case []:
            raise NobodyMeant(
                "nobody is known by that; give a user id, or an e-mail that the person has or had, as "
                "`directory.people` shows them"
            )
        case [one]:
            return one
        case several:
            raise NobodyMeant(
                f"several accounts have them; name one with --account: {', '.join(several)}"
            )


def _keys(found: set[str], who: str) -> frozenset[str]:
    """The keys of one person: an e-mail may have been that of several, who must not be mixed up."""
    ids = sorted(key for key in found if not key.startswith(BY_EMAIL))
    if who.lower() in ids:
        return frozenset({who.lower()})
    if len(ids) > 1:
        raise NobodyMeant(
            f"several people have or had that e-mail; name one by id: {', '.join(ids)}"
        )
    return frozenset(found)
