"""A fold of deliveries in event order, one by one, that notes every contradiction."""

from typing import Any

from projector.simulator.delivery import SimulatedEvent

REMOVALS = {"user.deleted": "deleted", "user.disassociated": "disassociated"}


def leaves(document: dict[str, Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            found |= leaves(value, (*path, key))
        else:
            found[*path, key] = value
    return found


class NaiveDirectory:
    """Folds deliveries one by one, in order, into plain dictionaries; notes every contradiction."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], dict[tuple[str, ...], Any]] = {}
        self.status: dict[str, str] = {}
        self.roles: dict[tuple[str, str, str], int] = {}
        self.groups: dict[str, str] = {}
        self.emails: dict[str, str] = {}
        self.signed_in: dict[tuple[str, str], bool] = {}
        self.attributes: dict[tuple[str, str], Any] = {}
        self.contradictions: list[tuple[str, tuple[str, ...], Any, Any]] = []

    def fold(self, event: SimulatedEvent) -> None:
        payload = event.body["payload"]
        new, old = payload["object"], payload.get("old_object", {})
        kind = event.name.partition(".")[2]
        if kind.startswith(("member_", "admin_")):
            self.fold_roles(kind, new, event.body["event_ts"])
        elif event.name == "user.personal_notes_updated":
            self.diff("note", new["id"], {"note": new["personal_notes"]}, {})
        elif kind in {"settings_updated", "lock_settings_updated"}:
            self.diff(event.name, new["id"], new["settings"], old.get("settings", {}))
        elif event.name.startswith("user.signed_"):
            self.signed_in[new["id"], new["client_type"]] = kind == "signed_in"
            if kind == "signed_in" and self.status[new["id"]] == "pending":
                self.status[new["id"]] = "active"
        elif event.name.startswith("group."):
            self.fold_group(kind, new, old)
        elif event.name != "user.presence_status_updated":
            self.fold_user(event.name, payload, new, old)

    def fold_user(
        self, name: str, payload: dict[str, Any], new: dict[str, Any], old: dict[str, Any]
    ) -> None:
        user = new["id"]
        if payload.get("operation") == "sign_out_from_all_devices":
            self.signed_in |= {key: False for key in self.signed_in if key[0] == user}
        if self.status.get(user) in REMOVALS.values():
            self.forget(user)
        if not ("id" in old and not old["id"]):  # no placeholder
            self.diff("profile", user, new, old)
            for attribute in old.get("custom_attributes", ()):
                assert self.attributes.pop((user, attribute["key"])) == attribute
            for attribute in new.get("custom_attributes", ()):
                self.attributes[user, attribute["key"]] = attribute
        self.emails[self.documents["profile", user]["email",].lower()] = user
        if name in REMOVALS:
            self.remove_user(user)
        self.status[user] = {
            **REMOVALS,
            "user.created": "pending" if payload.get("creation_type") == "create" else "active",
            "user.updated": self.status.get(user, "unknown"),
            "user.deactivated": "inactive",
        }.get(name, "active")

    def remove_user(self, user: str) -> None:
        profile, attributes = self.documents["profile", user], self.attributes
        self.forget(user)
        self.documents["profile", user], self.attributes = profile, attributes

    def forget(self, entity: str) -> None:
        self.roles = {key: at for key, at in self.roles.items() if entity not in key}
        self.documents = {key: held for key, held in self.documents.items() if entity not in key}
        self.signed_in = {key: held for key, held in self.signed_in.items() if entity not in key}
        self.attributes = {key: held for key, held in self.attributes.items() if entity not in key}

    def fold_group(self, kind: str, new: dict[str, Any], old: dict[str, Any]) -> None:
        if kind == "deleted":
            del self.groups[new["id"]]
            self.forget(new["id"])
            return
        self.diff("group", new["id"], new, old)
        self.groups[new["id"]] = new["name"]

    def fold_roles(self, kind: str, new: dict[str, Any], at: int) -> None:
        role, _, change = kind.partition("_")
        for entry in new[f"{role}s"]:
            user = entry.get("id") or self.emails[entry["email"].lower()]
            if change == "added":
                self.roles[role, new["id"], user] = at
            else:
                del self.roles[role, new["id"], user]  # only members can be removed

    def diff(self, kind: str, entity: str, new: dict[str, Any], old: dict[str, Any]) -> None:
        known = self.documents.setdefault((kind, entity), {})
        after, before = leaves(new), leaves(old)
        for path, reported in before.items():
            if path in known and path != ("custom_attributes",) and known[path] != reported:
                self.contradictions.append((entity, path, known[path], reported))
        for path in before.keys() - after.keys():
            known.pop(path, None)
        known |= after
