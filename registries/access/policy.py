"""Pure: which of the actions asked may this principal do, and why not the others?

Order: what is no name or no action; what the credential is good for; hard rules; restrictions; names; deny rules; allow rules;
defaults of the zone; nothing. A cache is asked about the registry it fronts. Names compare byte for byte, and what nobody allowed is
not allowed. A robot never does more than its team may."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from portal.globs import matches
from portal.networks import lies_in, parse_networks
from registries.access.facts import Default, Grant, Owner, Place, Policy, Rule, Verdict
from registries.access.hard_rules import CI_ZONES, hard_verdict
from registries.access.principals import Principal
from registries.oci.reference import is_repository
from registries.oci.scope import Scope

ACTIONS: Final = ("pull", "push", "delete")


def evaluate_scopes(
    policy: Policy, principal: Principal, place: Place, scopes: Iterable[Scope], now: datetime
) -> tuple[Grant, ...]:
    """Each scope by itself; one that is refused takes nothing from the others."""
    return tuple(evaluate_scope(policy, principal, place, scope, now) for scope in scopes)


def evaluate_scope(policy: Policy, principal: Principal, place: Place, scope: Scope, now: datetime) -> Grant:
    """Only what was asked is granted; ``*`` asks for every action by its name."""
    if scope.type == "repository" and not scope.is_nameless:
        verdicts = [evaluate(policy, principal, place, scope.name, action, now) for action in _named(scope.actions)]
    else:
        verdicts = [_of_lists(principal, scope, action) for action in sorted(scope.actions)]
    return Grant(scope, tuple(verdicts))


def evaluate(
    policy: Policy, principal: Principal, place: Place, repository: str, action: str, now: datetime
) -> Verdict:
    """One action on one repository."""
    if action not in ACTIONS:
        return Verdict(
            action, False, "unknown_action", f"{action} is no action we know", "Ask for pull, push or delete."
        )
    if not is_repository(repository):
        text = f"{repository[:80]} is no repository name: lower-case letters and digits with single . _ - between them"
        return Verdict(action, False, "bad_name", text, "Choose a name by the rules of the OCI.")
    return (
        _narrowed(principal, place, repository, action)
        or _Question(policy, principal, place, repository, action, now).answer()
    )


def _narrowed(principal: Principal, place: Place, repository: str, action: str) -> Verdict | None:
    """A credential may be good for less than its owner is."""
    if principal.narrow_networks and not lies_in(principal.address, parse_networks(principal.narrow_networks)):
        where = principal.address or "an address nobody knows"
        text = f"this credential is good from {principal.narrow_networks} alone, and the client is at {where}"
    elif principal.narrow_registries and place.name not in principal.narrow_registries.split(","):
        text = f"this credential is good at {principal.narrow_registries} alone"
    elif principal.narrow_actions and action not in principal.narrow_actions.split(","):
        text = f"this credential is good for {principal.narrow_actions} alone"
    elif principal.narrow_pattern and not matches(principal.narrow_pattern, repository):
        text = f"this credential is good for {principal.narrow_pattern} alone"
    else:
        return None
    return Verdict(action, False, "narrow_credential", text, "Use a credential that was made for it.")


def _named(actions: frozenset[str]) -> list[str]:
    known = [action for action in ACTIONS if action in actions or "*" in actions]
    return [*known, *sorted(actions - set(ACTIONS) - {"*"})]


def _of_lists(principal: Principal, scope: Scope, action: str) -> Verdict:
    """Lists of all names: Distribution's catalog, and the nameless repository by which zot asks for its own."""
    is_catalog = (scope.type, scope.name, action) == ("registry", "catalog", "*")
    is_nameless = scope.type == "repository" and scope.is_nameless and action == "pull"
    if not (is_catalog or is_nameless):
        text = f"{scope.type}:{scope.name}:{action} is nothing that can be granted"
        return Verdict(action, False, "unknown_resource", text)
    if principal.kind == "system" and principal.key == "sync":
        return Verdict(action, True, "by_principal", "the sync reads the list of all names")
    text = "the list of all names is for the portal's own sync"
    return Verdict(action, False, "no_catalog", text, "Browse and search in the portal.")


def _labels(rules: Iterable[Rule]) -> tuple[str, ...]:
    return tuple(rule.label for rule in rules)


@dataclass(frozen=True)
class _Question:
    """One principal, one action, one repository, one moment."""

    policy: Policy
    principal: Principal
    place: Place
    repository: str
    action: str
    at: datetime

    def answer(self) -> Verdict:
        hard = hard_verdict(self.principal, self.place, self.action)
        if hard is not None and not hard.is_allowed:
            return replace(hard, lost=tuple(rule.label for rule in self._speaking if not rule.is_deny))
        stopped = self._restricted() or self._misnamed() or self._denied()
        if stopped is not None:
            return stopped
        if hard is not None:
            return hard
        return self._through() if self.place.kind == "cache" else self._soft()

    def _no(self, code: str, text: str, fix: str = "", rule: str = "", lost: tuple[str, ...] = ()) -> Verdict:
        return Verdict(self.action, False, code, text, fix, rule, lost)

    @cached_property
    def _speaking(self) -> list[Rule]:
        """Rules about this very question, in force now."""
        found = (
            rule
            for rule in self.policy.rules_near(self.principal, self.repository)
            if self.action in rule.actions and rule.is_in_force(self.at) and rule.covers(self.place, self.repository)
        )
        return sorted(found, key=lambda rule: rule.key)

    def _restricted(self) -> Verdict | None:
        for limit in self.policy.limits:
            if limit.holds(self.place, self.repository, self.action, self.at):
                until = f" until {limit.ends_at:%Y-%m-%d %H:%M} UTC" if limit.ends_at else ""
                fix = "Wait until it is over, or ask a platform admin."
                return self._no(limit.code, f"{limit.reason}{until}", fix, limit.label)
        return None

    def _misnamed(self) -> Verdict | None:
        """What CI pushes has to be named by the rules of its zone. What is there already may be pulled whatever it is called."""
        if self.action != "push" or self.place.kind not in CI_ZONES:
            return None
        for naming in self.policy.naming:
            if naming.zone == self.place.zone_key and (fault := naming.fault(self.repository)):
                return self._no("misnamed", fault, "Push under another name.", naming.label)
        return None

    def _denied(self) -> Verdict | None:
        speaking = self._speaking
        denying = next((rule for rule in speaking if rule.is_deny), None)
        if denying is None:
            return None
        lost = tuple(rule.label for rule in speaking if not rule.is_deny)
        fix = "Ask a platform admin to end the rule."
        return self._no("denied_by_rule", f"a rule denies it: {denying.label}", fix, denying.label, lost)

    def _through(self) -> Verdict:
        """A cache gives to nobody what its origin would not give."""
        front = self.place.fronts
        if front is None:
            return self._no("fronts_nothing", f"{self.place.name} does not say which registry it is a cache of")
        found = replace(self, place=front).answer()
        return replace(found, text=f"{self.place.name} is a cache of {front.name}: {found.text}")

    def _soft(self) -> Verdict:
        owner = self.policy.owner_of(self.place.zone_key, self.repository)
        default = self._default()
        allowing = sorted(self._speaking, key=lambda rule: rule.robot is not None)
        if allowing and (allowing[0].robot is None or self._team_may(default, owner)):
            return self._by_rule(allowing)
        if default is not None:
            return self._by_default(default, owner)
        if allowing:
            text = f"{allowing[0].label} lets it, but its team may not, and a robot never does more than its team"
            return self._no("beyond_team", text, "Ask a platform admin for a rule for its team.", "", _labels(allowing))
        if owner is not None and self._maintains(owner):
            text = f"{self.principal} maintains team {owner.team}, which owns {owner.prefix}"
            return Verdict(self.action, True, "by_ownership", text)
        return self._nothing()

    def _by_rule(self, allowing: list[Rule]) -> Verdict:
        first, *others = allowing
        text = f"a rule allows it: {first.label}"
        return Verdict(self.action, True, "by_rule", text, "", first.label, _labels(others), first.key)

    def _team_may(self, default: Default | None, owner: Owner | None) -> bool:
        """Whether a rule that names the robot itself stays within what its team may: by the zone's default for everybody or for
        people, by that for robots such as it is, or in names that are the team's own. Rules for the team are looked at before."""
        if owner is not None and owner.team_id in self.principal.team_ids:
            return True
        if default is not None:
            return self._by_default(default, owner).is_allowed
        return any(
            other.zone_key == self.place.zone_key and other.action == self.action and other.audience == "people"
            for other in self.policy.defaults
        )

    def _default(self) -> Default | None:
        for default in self.policy.defaults:
            is_here = default.zone_key == self.place.zone_key and default.action == self.action
            if is_here and default.is_for(self.principal):
                return default
        return None

    def _by_default(self, default: Default, owner: Owner | None) -> Verdict:
        """In CI zones the default for pushes ends where another team's names begin."""
        zone = self.place.zone
        rule = f"default of zone {zone}: {default.audience} {default.action}"
        is_foreign = owner is not None and owner.team_id not in self.principal.team_ids
        if owner is not None and is_foreign and self.action == "push" and self.place.kind in CI_ZONES:
            text = f"{owner.prefix} in {zone} belongs to team {owner.team}, of which {self.principal} is not"
            return self._no("owned_by_other", text, f"Ask {owner.team} or a platform admin for a rule.", "", (rule,))
        return Verdict(
            self.action, True, "by_default", f"zone {zone} gives {self.action} to {default.audience}", rule=rule
        )

    def _maintains(self, owner: Owner) -> bool:
        return self.action == "delete" and self.place.kind == "sandbox" and owner.team_id in self.principal.maintains

    def _nothing(self) -> Verdict:
        name = self.place.name
        if self.principal.kind == "anonymous":
            fix = "Run docker login with a personal token."
            return self._no("sign_in", f"{name} lets nobody {self.action} who is not signed in", fix)
        text = f"no rule lets {self.principal} {self.action} from {name}" if self.action == "pull" else ""
        text = text or f"no rule lets {self.principal} {self.action} at {name}"
        return self._no("nothing_allows", text, f"Ask a platform admin for an access rule for {name}.")
