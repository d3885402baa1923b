"""Make people, switch them off, give and take roles and teams."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction

from portal.actor import Actor
from portal.audit.record import record
from portal.users.last_admin import an_admin_remains
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


def revoke_role(actor: Actor, user: User, role: Role) -> None:
    """Take a role from somebody; nothing happens if it is not held. Raises LastAdminError."""
    with an_admin_remains():
        held, _ = RoleGrant.objects.filter(user=user, role=role).delete()
        if held:
            record(actor, "role.revoked", user, role=role.value)


def switch_off(actor: Actor, user: User) -> None:
    """From the next request on the person's sessions, tokens and sign-ins are good no more. Twice is once. Raises LastAdminError."""
    with an_admin_remains():
        if User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
            record(actor, "person.switched_off", user)
        user.is_active = False


def switch_on(actor: Actor, user: User) -> None:
    """Undo that; secrets that ended meanwhile stay ended."""
    with transaction.atomic():
        if User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
            record(actor, "person.switched_on", user)
        user.is_active = True


def delete_person(actor: Actor, user: User) -> None:
    """Gone with all that hangs on the account; the audit keeps the name. Raises LastAdminError."""
    with an_admin_remains():
        record(actor, "person.deleted", user)
        User.objects.filter(pk=user.pk).delete()


def remove_second_factor(actor: Actor, user: User) -> bool:
    """Take the authenticator app and the recovery codes from somebody who has lost them; False where there were none."""
    with transaction.atomic():
        removed, _ = Authenticator.objects.filter(user=user).delete()
        if removed:
            record(actor, "secondfactor.removed", user, by="admin")
    return bool(removed)


def recover_admin(actor: Actor, username: str, email: str, password: str) -> tuple[User, bool]:
    """A platform admin who can sign in with this password: made, or revived as they are; True if made. Raises ValidationError.

    All their sessions end, for whoever else knew the old password."""
    with transaction.atomic():
        user = User.objects.filter(username=username).first()
        if user is None:
            return create_person(actor, username, email, password, roles=(Role.PLATFORM_ADMIN,)), True
        switch_on(actor, user)
        user.set_password(password)
        user.save(update_fields=["password"])
        grant_role(actor, user, Role.PLATFORM_ADMIN)
        record(actor, "person.recovered", user)
    return user, False


def join_team(actor: Actor, team: Team, user: User, *, as_maintainer: bool = False, group: str = "") -> None:
    """Put somebody in a team, or change what they are there. ``group`` is the one of a provider that asks for it."""
    wanted = Membership.TeamRole.MAINTAINER if as_maintainer else Membership.TeamRole.MEMBER
    with transaction.atomic():
        Membership.objects.update_or_create(team=team, user=user, defaults={"role": wanted})
        record(actor, "team.joined", team, person=user.username, role=wanted.value, **_by(group))


def leave_team(actor: Actor, team: Team, user: User, *, group: str = "") -> None:
    """Take somebody out of a team; nothing happens if they are not in it."""
    with transaction.atomic():
        left, _ = Membership.objects.filter(team=team, user=user).delete()
        if left:
            record(actor, "team.left", team, person=user.username, **_by(group))


def _by(group: str) -> dict[str, str]:
    return {"group": group} if group else {}
