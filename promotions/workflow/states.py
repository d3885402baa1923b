"""Pure: where may a request go from where it is? Every edge there is, and nothing else."""

from collections.abc import Mapping

ALLOWED: Mapping[str, frozenset[str]] = {
    # Gates pass and people are needed, or none are; or a gate blocks.
    "evaluating": frozenset({"awaiting_approval", "ready", "blocked", "cancelled", "expired"}),
    # New evidence, changed labels of a rule: asked to look again.
    "blocked": frozenset({"evaluating", "cancelled", "expired"}),
    "awaiting_approval": frozenset({"ready", "rejected", "evaluating", "cancelled", "expired"}),
    # An approval was taken back, or its giver may no longer give it.
    "ready": frozenset({"executing", "awaiting_approval", "cancelled", "expired"}),
    # What was approved is no longer what would happen: back to people, or back to the gates. Never straight to ready.
    "executing": frozenset({"promoted", "failed", "cancelled", "blocked", "awaiting_approval"}),
    "promoted": frozenset({"completed"}),
    "failed": frozenset({"evaluating"}),
    "completed": frozenset(),
    "rejected": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
}

UNDECIDED = frozenset({"evaluating", "blocked", "awaiting_approval", "ready"})
"""Nothing has been done yet: these expire and can be cancelled at once."""

OPEN = UNDECIDED | {"executing"}
"""These hold the locks of their tags."""

ENDED = frozenset({"promoted", "completed", "rejected", "cancelled", "expired", "failed"})
"""CI need not wait any longer; what follows promoted is the regions' business."""

FINAL = frozenset(state for state, following in ALLOWED.items() if not following)


def may_move(start: str, end: str) -> bool:
    return end in ALLOWED.get(start, frozenset())
