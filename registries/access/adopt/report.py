"""Pure: who of those that the log knows would be refused under the portal, by which rule, and how often?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from registries.access.facts import Place, Policy, Verdict
from registries.access.policy import evaluate
from registries.access.principals import ANONYMOUS, Principal

Outlook = Literal["goes on", "refused", "not known"]
PORTAL_TOKEN: Final = "Let them make a personal token in the portal (page My access) and log in with it."  # noqa: S105  a sentence


@dataclass(frozen=True, slots=True)
class Sighting:
    """A row of the log. ``username`` is empty for a stranger, and where the log names nobody, which ``is_named`` tells apart."""

    username: str
    is_named: bool
    address: str
    action: str
    repository: str
    count: int
    last_at: datetime | None = None
    is_mount: bool = False


@dataclass(frozen=True, slots=True)
class Acting:
    """Whom a user name will act as. ``obstacle`` says why the old password is not taken, empty where it is; ``fix`` what to do."""

    principal: Principal | None
    code: str = ""
    obstacle: str = ""
    fix: str = ""
    is_on_purpose: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What would become of it. ``who`` is whom the name acts as; ``is_guessed`` says that the log names nobody and one name alone was
    seen at that address. ``principal`` is None where nobody is known to the portal."""

    sighting: Sighting
    username: str
    who: str
    outlook: Outlook
    code: str
    reason: str
    rule: str = ""
    fix: str = ""
    is_guessed: bool = False
    is_on_purpose: bool = False
    principal: Principal | None = None

    @property
    def by(self) -> str:
        """The rule, hard rule or default that decided; else the kind of reason."""
        return self.rule or self.code.replace("_", " ")


def evaluate_sightings(
    policy: Policy, place: Place, sightings: Sequence[Sighting], names: Mapping[str, Acting], now: datetime
) -> list[Finding]:
    """One finding for each sighting, what would be refused first and the most frequent first within that."""
    guesses = _names_by_address(sightings)
    found = [_finding(policy, place, row, names, guesses, now) for row in sightings]
    order = {"refused": 0, "not known": 1, "goes on": 2}
    return sorted(found, key=lambda row: (order[row.outlook], row.is_on_purpose, -row.sighting.count, row.username))


def _names_by_address(sightings: Iterable[Sighting]) -> dict[str, str]:
    """Addresses at which one user name alone was seen."""
    seen: dict[str, set[str]] = {}
    for row in sightings:
        if row.username and row.address:
            seen.setdefault(row.address, set()).add(row.username)
    return {address: next(iter(names)) for address, names in seen.items() if len(names) == 1}


def _finding(
    policy: Policy, place: Place, row: Sighting, names: Mapping[str, Acting], guesses: Mapping[str, str], now: datetime
) -> Finding:
    username = row.username or ("" if row.is_named else guesses.get(row.address, ""))
    if not username and not row.is_named:
        reason = (
            "the log does not say who; Distribution 2.8 names users at level debug alone, a proxy's log always does"
        )
        return Finding(row, "", "", "not known", "not_named", reason, fix="Read a log that names them.")
    acting = names.get(username, _UNMAPPED) if username else Acting(ANONYMOUS)
    is_guessed = bool(username) and not row.username
    verdict = _verdict(policy, acting.principal, place, row, now) if acting.principal else None
    who = str(acting.principal) if acting.principal else ""
    if acting.obstacle:
        text = f"{acting.obstacle}; with another credential: {verdict.text}" if verdict else acting.obstacle
        fix = f"{acting.fix} {verdict.fix if verdict and not verdict.is_allowed else ''}".strip()
        rule = verdict.rule if verdict and not verdict.is_allowed else ""
        return Finding(
            row, username, who, "refused", acting.code, text, rule, fix, is_guessed, acting.is_on_purpose, acting.principal
        )  # fmt: skip
    assert verdict is not None  # noqa: S101  whoever has no obstacle is somebody
    outlook: Outlook = "goes on" if verdict.is_allowed else "refused"
    return Finding(
        row, username, who, outlook, verdict.code, verdict.text, verdict.rule, verdict.fix, is_guessed, False, acting.principal
    )  # fmt: skip


_UNMAPPED: Final = Acting(
    None, "unmapped", "nobody in the portal has this name, and no login of it was imported",
    "Import it from the htpasswd file, or say which person it is.",
)  # fmt: skip


def _verdict(policy: Policy, principal: Principal, place: Place, row: Sighting, now: datetime) -> Verdict:
    """As the token endpoint will decide."""
    asking = replace(principal, address=row.address)
    if row.action == "login":
        return Verdict("login", True, "logs_in", "the login itself goes on working")
    if row.action == "catalog":
        text = "the list of all names is for the portal's own sync"
        return Verdict("catalog", False, "no_catalog", text, "Browse and search in the portal.", "hard rule for lists")
    return evaluate(policy, asking, place, row.repository, row.action, now)
