"""Which steps has a registry to go, how far is it, what hinders?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from registries.access.adopt.models import Adoption
from registries.access.adopt.report import Finding
from registries.access.adopt.watch import Watched
from registries.topology.models import Registry

State = Literal["done", "attention", "open"]


@dataclass(frozen=True)
class Step:
    """One step; ``said`` is how it stands. Nothing forces an order."""

    key: str
    title: str
    state: State
    said: str


def steps_of(adoption: Adoption, findings: Sequence[Finding], watched: Watched) -> list[Step]:
    """In the order in which one goes them."""
    return [_users(watched), _log(adoption), _report(adoption, findings), _config(adoption), _cut_over(adoption),
            _watch(adoption, watched), _back(adoption)]  # fmt: skip


def commands_of(registry: Registry) -> dict[str, str]:
    """Ready to copy, with the registry's own name."""
    name = registry.name
    return {
        "users": f"manage.py adopt_registry {name} import-users /etc/docker/registry/htpasswd --team TEAM --kind ci",
        "log": f"manage.py adopt_registry {name} read-log registry.log.1.gz registry.log",
        "report": f"manage.py adopt_registry {name} report --format csv > report.csv",
        "config": f"manage.py registry_config {name} --version 2.8 --keys-dir /etc/docker/registry > config.yml.new",
        "curl": f"curl -i {registry.base_url}/v2/",
        "expected": f'Www-Authenticate: Bearer realm="{settings.PORTAL_BASE_URL}/token",service="{registry.service}"',
        "back": f"manage.py adopt_registry {name} back",
    }


def _users(watched: Watched) -> Step:
    total = sum(watched.counts.values())
    live = total - watched.counts.get("ended", 0) - watched.counts.get("disabled", 0)
    said = f"{live} logins are imported and work after the cut-over." if total else "No login is imported yet."
    return Step("users", "Import the users", "done" if live else "open", said)


def _log(adoption: Adoption) -> Step:
    if not adoption.log_facts:
        return Step("log", "Read the access log", "open", "No log was read yet; some days of it tell who comes.")
    facts = adoption.log_facts
    is_partial = facts["named"] < facts["requests"] and not facts["knows_strangers"]
    said = f"{facts['requests']} requests were seen" + (", not all of them with a name." if is_partial else ".")
    return Step("log", "Read the access log", "attention" if is_partial else "done", said)


def _report(adoption: Adoption, findings: Sequence[Finding]) -> Step:
    title = "See who would be refused"
    if not adoption.log_facts:
        return Step("report", title, "open", "That is known when a log was read.")
    refused = sum(found.sighting.count for found in findings if found.outlook == "refused" and not found.is_on_purpose)
    unknown = sum(found.sighting.count for found in findings if found.outlook == "not known")
    if refused:
        return Step("report", title, "attention", f"{refused} of the requests seen would be refused.")
    if unknown:
        return Step(
            "report", title, "attention", f"None would be refused, but of {unknown} requests the log names nobody."
        )
    return Step("report", title, "done", "All requests seen would go on, but for what is refused on purpose.")


def _config(adoption: Adoption) -> Step:
    title = "Write the configuration and restart"
    if adoption.probe_is_good:
        return Step("config", title, "done", "The registry runs with it.")
    said = f"When last asked: {adoption.probe_text}." if adoption.probe_text else "The registry was not asked yet."
    return Step("config", title, "open", said)


def _cut_over(adoption: Adoption) -> Step:
    if adoption.is_cut_over:
        return Step("cutover", "Cut over", "done", f"Cut over on {adoption.cut_over_at:%Y-%m-%d %H:%M} UTC.")
    hint = (
        "It can be done now."
        if adoption.probe_is_good
        else "Refused while the registry does not trust the portal's tokens."
    )
    return Step("cutover", "Cut over", "open", hint)


def _watch(adoption: Adoption, watched: Watched) -> Step:
    if not adoption.is_cut_over:
        return Step("watch", "Watch", "open", "Begins with the cut-over.")
    used, denied = watched.counts.get("in use", 0), len(watched.denials)
    if denied or used:
        said = f"{used} old passwords were used since; {denied} things were refused."
        return Step("watch", "Watch", "attention", said)
    return Step("watch", "Watch", "done", "No old password is in use, and nothing was refused.")


def _back(adoption: Adoption) -> Step:
    if adoption.went_back_at is not None and not adoption.is_cut_over:
        return Step("back", "Go back", "done", f"Went back on {adoption.went_back_at:%Y-%m-%d %H:%M} UTC.")
    return Step("back", "Go back", "open", "Possible at any time; nothing is lost by it.")
