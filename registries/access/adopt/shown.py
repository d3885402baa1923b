"""What the log said and what would become of it, in the words of the page, the command and the exports."""

from typing import Any

from registries.access.adopt.models import Adoption
from registries.access.adopt.report import Finding


def finding_row(found: Finding) -> dict[str, Any]:
    """One finding, flat: for tables and exports."""
    row = found.sighting
    return {
        "outlook": "refused on purpose" if found.is_on_purpose else found.outlook,
        "user": who_text(found),
        "acts_as": found.who,
        "action": f"{row.action} (to mount)" if row.is_mount else row.action,
        "repository": row.repository,
        "count": row.count,
        "address": row.address,
        "last_at": row.last_at.isoformat() if row.last_at else "",
        "code": found.code,
        "reason": found.reason,
        "rule": found.rule,
        "fix": found.fix,
    }


def who_text(found: Finding) -> str:
    """The user name as the log has it; what stands for it where there is none."""
    if found.is_guessed:
        return f"{found.username} (the only name seen at {found.sighting.address})"
    return found.username or ("anonymous" if found.sighting.is_named else "somebody")


def log_lines(adoption: Adoption) -> list[str]:
    """Sentences about the log that was read."""
    facts = adoption.log_facts
    if not facts:
        return []
    told = f"{facts['requests']} requests in {facts['lines']} lines, told by {facts['told_by']}"
    said = [f"{told}; {facts['named']} of them name who asked."]
    if facts["named"] < facts["requests"] and not facts["knows_strangers"]:
        said.append(
            "Where the log names nobody: Distribution 2.8 names users of successful requests at level debug alone. Read a log of that "
            "level, or that of a proxy in front, to know them all."
        )
    if facts["refused_by_the_registry"]:
        said.append(
            f"{facts['refused_by_the_registry']} requests were refused or challenged by the registry and are left out."
        )
    for name, text in (
        ("not_understood", "lines were not understood"), ("too_long", "lines were longer than 64 KiB and were passed over"),
        ("left_out", "requests came after the room for rows was used up and are left out"),
    ):  # fmt: skip
        if facts[name]:
            said.append(f"{facts[name]} {text}.")
    said += [f"Reading ended early: {text}." for text in facts["ended_early"]]
    if facts["wrong_logins"]:
        names = ", ".join(list(facts["wrong_logins"])[:10])
        said.append(f"Wrong passwords were shown for: {names}. They fail today as well.")
    return said
