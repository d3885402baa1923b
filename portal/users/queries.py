"""Who is that?"""

from allauth.account.models import EmailAddress
from django.db.models import QuerySet

from portal.users.models import Role, Team, User


def person_by_claim(claim: str) -> User | None:
    """The active person a CI job names by verified mail address or by user name; None when nobody, or not surely, is meant.

    A free-text display name never counts, and an address counts only once its owner has proved it or an admin gave it."""
    claim = claim.strip()
    if "@" not in claim:
        return User.objects.filter(username=claim, is_active=True).first()
    proved = EmailAddress.objects.filter(email__iexact=claim, verified=True, user__is_active=True)
    people = {row.user_id for row in proved if _is_same_address(row.email, claim)}
    return User.objects.get(pk=people.pop()) if len(people) == 1 else None


def _is_same_address(stored: str, claim: str) -> bool:
    """Regardless of case, but not of alphabet: databases take a dotless or a Kelvin sign for the letter it resembles."""
    return stored.isascii() == claim.isascii() and stored.lower() == claim.lower()


def holders_of(role: Role) -> QuerySet[User]:
    """Active people who were granted a role; superusers do not count."""
    return User.objects.filter(is_active=True, role_grants__role=role).order_by("username")


def teams_of(user: User) -> QuerySet[Team]:
    """Teams somebody belongs to."""
    return Team.objects.filter(memberships__user=user).order_by("name")
