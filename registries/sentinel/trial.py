"""What would a naming rule find? Tried against what the catalog knows, before it is switched on."""

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q, QuerySet

from portal.globs import regex_of
from registries.access.naming_rules.naming import REFERRERS
from registries.access.naming_rules.naming_models import NamingRule
from registries.catalog.models import Repository, Tag

SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """``looked_at`` names that the rule speaks of, ``misfits`` of them that do not fit, ``first`` some of those by name."""

    looked_at: int
    misfits: int
    first: tuple[str, ...]


def try_rule(rule: NamingRule) -> Trial:
    """By the same patterns as the rule itself, worked out by the database: nothing is loaded but what is shown."""
    is_tag = rule.subject == NamingRule.Subject.TAG
    rows: QuerySet[Any] = _tags(rule) if is_tag else _repositories(rule)
    wrong = rows.exclude(_fits(rule))
    first = wrong.order_by("repository__name", "name") if is_tag else wrong.order_by("name")
    names = tuple(_shown(row) for row in first[:SHOWN])
    return Trial(rows.count(), wrong.count(), names)


def _repositories(rule: NamingRule) -> QuerySet[Repository]:
    rows = Repository.objects.filter(registry__zone=rule.zone_id, absent_since=None).select_related("registry")
    return rows if rule.pattern == "**" else rows.filter(name__regex=regex_of(rule.pattern))


def _tags(rule: NamingRule) -> QuerySet[Tag]:
    rows = Tag.objects.filter(repository__registry__zone=rule.zone_id).exclude(name__regex=REFERRERS)
    rows = rows.select_related("repository__registry")
    return rows if rule.pattern == "**" else rows.filter(repository__name__regex=regex_of(rule.pattern))


def _fits(rule: NamingRule) -> Q:
    fits = Q()
    for form in rule.names:
        fits |= Q(name__regex=regex_of(form))
    return fits


def _shown(row: Repository | Tag) -> str:
    return f"{row.repository}:{row.name}" if isinstance(row, Tag) else str(row)
