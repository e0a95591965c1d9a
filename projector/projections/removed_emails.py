"""The e-mails that removals of users named: each ends the memberships of that e-mail without an id."""

from typing import NamedTuple

from projector.folding import columns
from projector.folding.keys import person
from projector.folding.tables import STANDS, MergeTable, RowVersions, With, each
from projector.folding.unfoldable import Unfoldable
from projector.zoom.catalogue import Catalogue
from projector.zoom.events import Event


class RemovedEmail(NamedTuple):
    """The newest removal that named an e-mail: it ends memberships of that e-mail without an id."""

    account_id: str
    email_key: str
    cutoff: bytes
    last_position: int
    by: str | None


class RemovedEmailVersion(NamedTuple):
    """The same as of the events up to one of them."""

    account_id: str
    email_key: str
    folded: bytes
    until: bytes
    position: int
    by: str | None


def _removed_emails(event: Event) -> list[RemovedEmail]:
    try:
        account, _, _ = person(event)
    except Unfoldable:
        return []  # the users table reports it
    address = columns.email((event.object or {}).get("email"))
    return (
        []
        if address is None
        else [
            RemovedEmail(
                account, columns.lowered(address), event.order, event.position, event.operator
            )
        ]
    )


def _version(row: RemovedEmail) -> RemovedEmailVersion:
    return RemovedEmailVersion(*row[:3], STANDS, row.last_position, row.by)


def _restored(version: RemovedEmailVersion) -> RemovedEmail:
    return RemovedEmail(*version[:3], version.position, version.by)


def removed_emails(catalogue: Catalogue) -> MergeTable:
    """The table of the e-mails that removals named."""
    return MergeTable(
        name="removed_emails",
        row=RemovedEmail,
        key=2,
        rows=dict.fromkeys(catalogue.ending("user"), each(_removed_emails)),
        merge=max,
        rules=dict.fromkeys(RemovedEmail._fields[2:], With("cutoff")),
        versions=RowVersions(
            "removed_email_versions", RemovedEmailVersion, key=3, of=_version, restored=_restored
        ),
    )
