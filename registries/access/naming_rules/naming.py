"""Naming rules as values: those of repositories are asked when a token is made, those of tags after the push."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Final

from portal.globs import matches, matches_any
from registries.access.facts import Naming
from registries.access.naming_rules.naming_models import NamingRule
from registries.topology.models import Zone

# Tags by which registries without a referrers API keep lists, signatures and attestations: no names that people gave. Of
# longer digests they hold the first 64 figures.
REFERRERS: Final = r"^sha(256|512)-[0-9a-f]{64}(\.[a-z]+)?$"
_IS_REFERRERS: Final = re.compile(REFERRERS)


def naming_of(row: NamingRule) -> Naming:
    """The row as a value; its zone should be joined."""
    return Naming(f"naming rule {row.pk} ({row})", row.zone_id, row.pattern, tuple(row.names), row.reason)


def tag_rules(zone: Zone) -> tuple[Naming, ...]:
    """The rules that tags of a zone are held against, switched on."""
    rows = NamingRule.objects.filter(zone=zone, subject=NamingRule.Subject.TAG, is_enabled=True)
    return tuple(naming_of(row) for row in rows.select_related("zone").order_by("pk"))


def tag_fault(rules: Iterable[Naming], repository: str, tag: str) -> tuple[str, str]:
    """Why the tag's name does not do, and by which rule; both empty where it does."""
    if _IS_REFERRERS.fullmatch(tag):
        return "", ""
    for rule in rules:
        if matches(rule.pattern, repository) and not matches_any(rule.names, tag):
            text = f"{tag} is not named like {' or '.join(rule.names)}"
            return (f"{text}: {rule.reason}" if rule.reason else text), rule.label
    return "", ""


def mark_of(rules: Sequence[Naming]) -> str:
    """Tells one state of the rules from another; empty where there are none."""
    if not rules:
        return ""
    said = repr([(rule.label, rule.pattern, rule.names, rule.reason) for rule in rules])
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
