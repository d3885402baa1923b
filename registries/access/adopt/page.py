"""What the page of one registry that is brought in shows, from rows alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from portal.http.tables import table_of
from portal.users.models import User
from registries.access.adopt.forms import LogForm, UsersForm
from registries.access.adopt.models import Adoption
from registries.access.adopt.outlook import findings_of, suggestions_of, whom_text
from registries.access.adopt.report import Finding
from registries.access.adopt.shown import finding_row, log_lines, who_text
from registries.access.adopt.steps import commands_of, steps_of
from registries.access.adopt.watch import MAX_SHOWN, watch

PAGE = 100
OUTLOOKS = ("refused", "not known", "goes on")
SORTS = {
    "count": lambda found: -found.sighting.count,
    "user": who_text,
    "repository": lambda found: found.sighting.repository,
    "last": lambda found: -(found.sighting.last_at.timestamp() if found.sighting.last_at else 0),
}  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Refusals by who and why, for the overview: one line for many repositories."""

    who: str
    acts_as: str
    reason: str
    by: str
    fix: str
    count: int
    names: tuple[str, ...]


def page_context(adoption: Adoption, may_change: bool) -> dict[str, Any]:
    """For the template of the steps."""
    now = timezone.now()
    findings, watched = findings_of(adoption, now), watch(adoption, now)
    refused = [found for found in findings if found.outlook == "refused" and not found.is_on_purpose]
    decisions = list(adoption.name_decisions.select_related("person"))
    suggestions = suggestions_of(adoption, refused, now) if refused else []
    return {
        "adoption": adoption, "may_change": may_change, "steps": steps_of(adoption, findings, watched), "watched": watched,
        "log_lines": log_lines(adoption), "groups": _groups(refused), "commands": commands_of(adoption.registry),
        "undecided": sorted(_undecided(refused) - {row.username for row in decisions})[:200],
        "decisions": decisions[:MAX_SHOWN],
        "suggestions": [(whom_text(one), ", ".join(one.actions), one.pattern, one.count) for one in suggestions[:MAX_SHOWN]],
        "suggested": len(suggestions), "users_form": UsersForm(), "log_form": LogForm(),
        "addresses": _addresses(adoption), "people": User.objects.filter(is_active=True)[:1000] if may_change else (),
    }  # fmt: skip


def _undecided(refused: Sequence[Finding]) -> set[str]:
    """User names of which one may say who they are."""
    return {found.username for found in refused if found.code in ("unmapped", "own_name")}


def _addresses(adoption: Adoption) -> dict[str, str]:
    named = ("users", "log", "name", "drafts", "probe", "cutover", "back", "report")
    found = {name: reverse(f"admin:access_adoption_{name}", args=[adoption.pk]) for name in named}
    registry, listed = f"registry__id__exact={adoption.registry_id}", "admin:access_{}_changelist"
    found["logins"] = f"{reverse(listed.format('importedlogin'))}?{registry}"
    found["denials"] = f"{reverse(listed.format('denial'))}?{registry}"
    found["rules"] = f"{reverse(listed.format('accessrule'))}?{registry}&is_draft__exact=1"
    return found


def _groups(refused: Sequence[Finding]) -> list[Group]:
    """The most frequent first."""
    found: dict[tuple[str, str, str, str], list[Finding]] = {}
    for row in refused:
        # Whom nobody knows is refused whatever is asked.
        action = "" if row.code == "unmapped" else row.sighting.action
        found.setdefault((row.username, action, row.code, row.rule), []).append(row)
    groups = [
        Group(
            who_text(rows[0]), rows[0].who, rows[0].reason, f"{_actions(rows)}: {rows[0].by}", rows[0].fix,
            sum(row.sighting.count for row in rows), tuple(sorted({row.sighting.repository for row in rows} - {""}))[:4],
        )
        for rows in found.values()
    ]  # fmt: skip
    return sorted(groups, key=lambda group: -group.count)[:MAX_SHOWN]


def _actions(rows: Sequence[Finding]) -> str:
    return ", ".join(sorted({row.sighting.action for row in rows}))


def report_page(request: HttpRequest, adoption: Adoption, context: dict[str, Any]) -> HttpResponseBase:
    """All that was seen, with what would become of it; filter, order and page in the address, CSV and JSON of the same rows."""
    chosen = {name: request.GET.get(name, "")[:255] for name in ("outlook", "q", "sort")}
    rows = _chosen(findings_of(adoption, timezone.now()), chosen["outlook"], chosen["q"], chosen["sort"])
    wanted = request.GET.get("format", "")
    if wanted == "csv":
        answer = HttpResponse(table_of([finding_row(row) for row in rows]), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{adoption.registry.name}-report.csv"'
        return answer
    if wanted == "json":
        return JsonResponse({"registry": adoption.registry.name, "rows": [finding_row(row) for row in rows]})
    start = _number(request.GET.get("from", ""))
    query = request.GET.copy()
    for name in ("format", "from"):
        query.pop(name, None)
    context |= {
        "adoption": adoption, "rows": [finding_row(row) for row in rows[start : start + PAGE]], "total": len(rows),
        "first": start + 1, "last": min(start + PAGE, len(rows)), "following": start + PAGE if start + PAGE < len(rows) else 0,
        "query": query.urlencode(), "outlooks": OUTLOOKS, "sorts": tuple(SORTS), "chosen": chosen,
        "title": f"What the log of {adoption.registry} has seen",
        "back": reverse("admin:access_adoption_change", args=[adoption.pk]),
    }  # fmt: skip
    return render(request, "admin/access/adopt_report.html", context)


def _chosen(findings: list[Finding], outlook: str, text: str, sort: str) -> list[Finding]:
    rows = [row for row in findings if outlook not in OUTLOOKS or row.outlook == outlook]
    if text:
        rows = [row for row in rows if text in row.sighting.repository or text in row.username or text in row.who]
    return sorted(rows, key=SORTS[sort]) if sort in SORTS else rows


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
