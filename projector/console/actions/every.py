"""All actions."""

from typing import Final

from projector.console.actions import Action
from projector.console.actions.dead_letters import DISMISS, RETRY
from projector.console.actions.drift import ACKNOWLEDGE
from projector.console.actions.quarantine import PURGE, REVERIFY
from projector.console.actions.rebuild import REBUILD
from projector.console.actions.reconcile import RECONCILE

ACTIONS: Final[tuple[Action, ...]] = (
    RETRY, DISMISS, REVERIFY, PURGE, ACKNOWLEDGE, RECONCILE, REBUILD,
)  # fmt: skip
