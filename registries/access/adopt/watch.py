"""How does it go since the registry was brought in: what is asked, what is refused, who still uses an old password?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Sum

from registries.access.adopt.models import Adoption, ImportedLogin
from registries.access.counts.record_models import Denial, TokenCount
from registries.access.models import Secret

RECENT = timedelta(hours=24)
MAX_SHOWN = 50


@dataclass(frozen=True)
class LoginRow:
    """``state``: replaced, in use, not used, ended or disabled."""

    login: ImportedLogin
    state: str


@dataclass(frozen=True)
class Watched:
    """Tokens by outcome within the last day; what was refused since the cut-over, or within the day where there was none yet; logins
    by state."""

    tokens: dict[str, int]
    denials: list[Denial]
    logins: list[LoginRow]
    counts: dict[str, int]


def watch(adoption: Adoption, now: datetime) -> Watched:
    """From rows alone."""
    since = adoption.cut_over_at if adoption.is_cut_over and adoption.cut_over_at else now - RECENT
    counted = TokenCount.objects.filter(registry=adoption.registry, hour__gte=now - RECENT)
    tokens = dict(counted.values_list("outcome").annotate(number=Sum("count")))
    denials = Denial.objects.filter(registry=adoption.registry, last_at__gte=since)[:MAX_SHOWN]
    rows = [LoginRow(login, state_of(login, since, now)) for login in logins_of(adoption)]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.state] = counts.get(row.state, 0) + 1
    order = {"in use": 0, "not used": 1, "replaced": 2, "ended": 3, "disabled": 4}
    return Watched(tokens, list(denials), sorted(rows, key=lambda row: order[row.state])[:MAX_SHOWN], counts)


def logins_of(adoption: Adoption) -> QuerySet[ImportedLogin]:
    """With ``secret_used_at``, the last use of any secret of the same robot, and ``has_secret``."""
    secrets = Secret.objects.filter(robot=OuterRef("robot"), revoked_at=None)
    rows = (
        ImportedLogin.objects.filter(registry=adoption.registry)
        .select_related("robot", "registry")
        .defer("password_hash")
    )
    return rows.annotate(
        secret_used_at=Max("robot__secrets__last_used_at", filter=Q(robot__secrets__is_keyless=False)),
        has_secret=Exists(secrets),
    )


def state_of(login: ImportedLogin, since: datetime, now: datetime) -> str:
    """``login`` with what logins_of adds. Replaced: a secret of its robot was used, and the old password was not used since."""
    if login.disabled_at is not None:
        return "disabled"
    if login.expires_at <= now:
        return "ended"
    secret_used_at: datetime | None = getattr(login, "secret_used_at", None)
    used = login.last_used_at
    if secret_used_at is not None and (used is None or used < secret_used_at):
        return "replaced"
    return "in use" if used is not None and used >= since else "not used"
