"""Make people and grant roles."""

from allauth.account.models import EmailAddress
from django.db import transaction

from portal.actor import Actor
from portal.audit.record import record
from portal.users.models import Membership, Role, RoleGrant, Team, User


def create_person(
    actor: Actor, username: str, email: str, password: str, *, roles: tuple[Role, ...] = (), is_superuser: bool = False
) -> User:
    """An account whose address an admin vouches for. Raises ValidationError on a bad or taken name or address."""
    user = User(username=username, email=email, is_superuser=is_superuser, is_staff=is_superuser)
    user.set_password(password)
    user.full_clean()
    with transaction.atomic():
        user.save()
        vouch_for_address(user)
        record(actor, "person.created", user, roles=[role.value for role in roles])
        for role in roles:
            grant_role(actor, user, role)
    return user


def vouch_for_address(user: User) -> None:
    """An admin who enters an address vouches for it: it is proved, and the primary one among those the person has."""
    others = EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email)
    with transaction.atomic():
        others.update(primary=False)
        address = EmailAddress.objects.filter(user=user, email__iexact=user.email).first() or EmailAddress(user=user)
        address.email, address.verified, address.primary = user.email, True, True
        address.save()


def grant_role(actor: Actor, user: User, role: Role) -> None:
    """Give somebody a role; nothing happens if it is held already."""
    with transaction.atomic():
        _, is_new = RoleGrant.objects.get_or_create(user=user, role=role)
        if is_new:
            record(actor, "role.granted", user, role=role.value)


def switch_off(actor: Actor, user: User) -> None:
    """From the next request on the person's sessions, tokens and sign-ins are good no more. Twice is once."""
    with transaction.atomic():
        if User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
            record(actor, "person.switched_off", user)
        user.is_active = False


def join_team(actor: Actor, team: Team, user: User, *, as_maintainer: bool = False) -> None:
    """Put somebody in a team, or change what they are there."""
    wanted = Membership.TeamRole.MAINTAINER if as_maintainer else Membership.TeamRole.MEMBER
    with transaction.atomic():
        Membership.objects.update_or_create(team=team, user=user, defaults={"role": wanted})
        record(actor, "team.joined", team, person=user.username, role=wanted.value)
