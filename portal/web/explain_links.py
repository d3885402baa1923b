"""Where does an explanation lead? To the rules it speaks of, to the form that asks for access, to a promotion."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from portal.users.models import User
from promotions.workflow.models import PromotionPath
from registries.access.explain import Explanation
from registries.access.explaining.changes import Change
from registries.access.explaining.question import Question
from registries.catalog.models import Repository
from registries.catalog.queries import repositories_seen_by


@dataclass(frozen=True, slots=True)
class Way:
    """A link with its words."""

    title: str
    address: str


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change with where it is made, as far as this person may go there; ``draft`` is the number of the rule to be made a draft."""

    change: Change
    way: Way | None = None
    draft: int | None = None


@dataclass(frozen=True, slots=True)
class Links:
    """``rules`` by key: their rows in the admin, for those who are let in."""

    needed: tuple[ShownChange, ...]
    changes: tuple[ShownChange, ...]
    rule_base: str = ""

    @property
    def can_draft(self) -> bool:
        return any(shown.draft is not None for shown in self.changes)


def links_of(viewer: User, question: Question, found: Explanation) -> Links:
    """For one explanation and the person who reads it."""
    sees_admin = viewer.has_role()
    base = reverse("admin:access_accessrule_changelist") if sees_admin else ""
    rules = found.changes.rules if viewer.is_platform_admin else ()
    numbers = {rule: number for number, rule in enumerate(rules)}
    needed = tuple(ShownChange(change, _way(viewer, question, change, base)) for change in found.changes.all_of)
    ways = tuple(
        ShownChange(
            change, _way(viewer, question, change, base), numbers.get(change.rule) if change.rule is not None else None
        )
        for change in found.changes.one_of
    )
    return Links(needed, _asked_once(ways), base)


def _asked_once(ways: tuple[ShownChange, ...]) -> tuple[ShownChange, ...]:
    """Several rules would do, and one request: only the first of them leads to the form."""
    found: list[ShownChange] = []
    seen: set[str] = set()
    for shown in ways:
        address = shown.way.address if shown.way else ""
        found.append(ShownChange(shown.change, None if address in seen else shown.way, shown.draft))
        seen.add(address)
    return tuple(found)


def _way(viewer: User, question: Question, change: Change, base: str) -> Way | None:
    if change.key and base:
        return Way("The rule", f"{base}{change.key}/change/")
    if change.kind == "rule":
        return _request(question)
    if change.kind == "promotion":
        return _promotion(viewer, question)
    if change.kind == "sign_in":
        return Way("My access", reverse("web:my-access"))
    return None


def _request(question: Question) -> Way | None:
    """The form that asks for access, where there is one."""
    asked = {"registry": question.registry.name, "repository": question.repository, "action": question.action}
    try:
        return Way("Ask for access", f"{reverse('web:access-request-new')}?{urlencode(asked)}")
    except NoReverseMatch:
        return None


def _promotion(viewer: User, question: Question) -> Way:
    """Where the same name is in front of a path that leads there; a promotion is asked for on the page of one of its tags."""
    sources = PromotionPath.objects.filter(target=question.registry, is_enabled=True).values("source")
    seen = repositories_seen_by(viewer).filter(registry__in=sources, name=question.repository)
    row: Repository | None = seen.select_related("registry").order_by("registry__name").first()
    if row is None:
        return Way("Promotions", reverse("web:promotions"))
    return Way(f"Choose a tag in {row.registry.name}", reverse("web:repository", args=[row.registry.name, row.name]))
