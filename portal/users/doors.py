"""Which doors are open to somebody: a password, a provider, or none?"""

from allauth.socialaccount.models import SocialAccount
from django.conf import settings

from portal.oidc_settings import OidcProvider
from portal.users.models import Role, User


def providers() -> dict[str, OidcProvider]:
    """The identity providers people may come from, by their keys."""
    configured: dict[str, OidcProvider] = settings.PORTAL_OIDC_PROVIDERS
    return configured


def is_break_glass(person: User) -> bool:
    """Whether this is one of the local admins who may always use a password."""
    return person.username in settings.PORTAL_BREAK_GLASS


def may_use_password(person: User) -> bool:
    """Whether a right password would be taken at the login page."""
    return person.has_usable_password() and (not settings.PORTAL_OIDC_ONLY or is_break_glass(person))


def connected_providers(person: User) -> list[OidcProvider]:
    """Those somebody is known at, among the ones there are."""
    keys = set(SocialAccount.objects.filter(user=person).values_list("provider", flat=True))
    return [provider for key, provider in providers().items() if key in keys]


def can_sign_in(person: User) -> bool:
    """Whether any door is open as the portal is set up now."""
    has_password = bool(person.password) and may_use_password(person)
    return person.is_active and (has_password or bool(connected_providers(person)))


def must_have_second_factor(person: User) -> bool:
    """Whether this portal asks for one of everybody with a role, and the person holds one."""
    return bool(settings.PORTAL_SECOND_FACTOR_FOR_ROLES) and person.has_role(*Role.values)
