"""Pure: what a zone's kind allows or forbids whatever the rows say."""

from collections.abc import Mapping
from typing import Final

from registries.access.facts import Place, Verdict
from registries.access.principals import Principal

CI_ZONES: Final = frozenset({"ci-tests", "ci-snapshots"})
_ALL: Final = frozenset({"upstream", "archive", "sandbox", "prod", "cache"}) | CI_ZONES
_OURS: Final = _ALL - {"upstream", "cache"}
_NONE: Final[frozenset[str]] = frozenset()

# What our own jobs may do, by action and kind of zone. A push needs pull beside it, so whoever pushes may also pull there.
# The cleaner pushes where a tag that shares its digest can go only by way of a placeholder; never to prod or to an archive.
SYSTEM_RIGHTS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "sync": {"pull": _ALL},
    "pipeline": {"pull": _ALL - {"sandbox"}, "push": frozenset({"prod"})},
    "replicator": {"pull": _ALL - {"sandbox"}, "push": CI_ZONES | {"prod"}},
    "importer": {"pull": frozenset({"upstream", "cache", "archive"}), "push": frozenset({"archive"})},
    "restorer": {"pull": _OURS, "push": _OURS},
    "cleaner": {"pull": _OURS, "delete": _OURS, "push": CI_ZONES | {"sandbox"}},
}

# Why somebody who is not one of our jobs pushes nothing there: code, sentence about the registry, what to do instead.
_NO_PUSH: Final[Mapping[str, tuple[str, str, str]]] = {
    "prod": (
        "pipeline_only",
        "takes images only from the promotion pipeline",
        "Push to a CI registry and ask for a promotion.",
    ),
    "archive": ("importer_only", "takes images only from the importer", "Ask a platform admin for an archive entry."),
    "cache": ("fills_itself", "is a pull-through cache; nobody pushes to it", "Push to what it fronts, if you may."),
    "upstream": ("not_ours", "is not ours; nobody pushes to it", "Push to a sandbox."),
}

Found = tuple[str, str, str]


def hard_verdict(principal: Principal, place: Place, action: str) -> Verdict | None:
    """The hard rule's word, or None where the rows decide. Our own jobs are decided here alone."""
    if principal.kind == "system":
        return _of_system(principal, place, action)
    found = _forbidden(principal, place, action)
    if found is None:
        return None
    code, text, fix = found
    return Verdict(action, False, code, text, fix, rule=f"hard rule of {place.kind} zones")


def _of_system(principal: Principal, place: Place, action: str) -> Verdict:
    rule = f"hard rule for our own {principal.key}"
    if place.kind in SYSTEM_RIGHTS[principal.key].get(action, _NONE):
        text = f"the {principal.key} may {action} in {place.kind} zones"
        return Verdict(action, True, "by_principal", text, rule=rule)
    if place.kind == "sandbox" and action == "pull":
        return Verdict(action, False, "sandbox_keeps", f"nothing leaves {place.name}: it is a sandbox", rule=rule)
    text = f"the {principal.key} may not {action} in {place.kind} zones"
    return Verdict(action, False, "not_its_work", text, "Let the job whose work it is do it.", rule=rule)


def _forbidden(principal: Principal, place: Place, action: str) -> Found | None:
    """Code, sentence and what to do; None when nothing hard stands against it."""
    if principal.kind == "anonymous" and (place.kind == "sandbox" or action != "pull"):
        text = f"{place.name} lets nobody {action} who is not signed in"
        return "sign_in", text, "Run docker login with a personal token."
    if place.kind == "sandbox":
        return _sandbox(principal, place)
    if action == "push":
        return _push(principal, place)
    if action == "delete" and place.kind not in CI_ZONES:
        return "plan_only", f"from {place.name} only a cleanup plan deletes", "Ask a platform admin for a cleanup plan."
    return None


def _sandbox(principal: Principal, place: Place) -> Found | None:
    if principal.kind != "robot":
        return None
    text = f"{place.name} is a sandbox, where robots have no access: nothing leaves it"
    return "no_robots", text, "Let CI build the image and push it to a CI registry."


def _push(principal: Principal, place: Place) -> Found | None:
    if place.kind in CI_ZONES:
        if principal.is_ci and place.requires_keyless and not principal.is_keyless:
            fix = "Exchange the job's identity token for a credential; stored secrets do not push there."
            return "keyless_only", f"{place.name} takes pushes only from keyless CI", fix
        if principal.is_ci:
            return None
        fix = "Push from a CI job with a robot account of kind CI, or push to a sandbox."
        return "ci_only", f"{place.name} takes images only from CI", fix
    code, text, fix = _NO_PUSH.get(place.kind, ("unknown_zone", "stands in a zone of a kind we do not know", ""))
    return code, f"{place.name} {text}", fix
