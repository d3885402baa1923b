"""Let somebody in whom a provider vouches for: known, made now, or joined to an account that is theirs; or refuse with a reason."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from portal.actor import Actor, system
from portal.audit.record import record
from portal.users.doors import is_break_glass
from portal.users.last_admin import take_turn
from portal.users.models import Role, User
from portal.users.oidc.follow_groups import follow_groups, is_let_in
from portal.users.oidc.identity import Identity
from portal.users.oidc.names import free_name
from portal.users.oidc.refusals import SignInError
from portal.users.queries import person_by_claim


def come_in(identity: Identity) -> SocialAccount:
    """The connection of the person who signs in, whose teams and roles are as the groups say. Raises SignInError, and then nothing was made.

    A refusal of somebody who is known for sure is in the audit by then."""
    actor = system(f"oidc:{identity.provider.key}")
    try:
        with transaction.atomic():
            if Role.PLATFORM_ADMIN in identity.provider.role_groups:
                take_turn()
            check_let_in(identity)
            connection = _known(identity) or _new(actor, identity)
            if not connection.user.is_active:
                raise SignInError("switched_off", f"The account {connection.user} may not sign in.")
            follow_groups(actor, connection.user, identity)
    except (IntegrityError, ValidationError) as error:
        raise SignInError("collision", "The same name, address or person was just taken.") from error
    except SignInError as error:
        note_refusal(identity, error)
        raise
    return connection


def check_let_in(identity: Identity) -> None:
    """Raises SignInError where a group is required that the person is not known to be in."""
    if is_let_in(identity):
        return
    wanted = " or ".join(identity.provider.required_groups)
    why = identity.groups_fault or "You are not in it."
    raise SignInError("not_in_group", f"Coming in takes the group {wanted}. {why}")


def check_connectable(person: User, identity: Identity) -> None:
    """Before somebody who is signed in connects an identity with their account. Raises SignInError."""
    check_let_in(identity)
    others = SocialAccount.objects.filter(user=person, provider=identity.provider.key).exclude(uid=identity.uid)
    if others.exists():
        raise SignInError("second_identity", f"The account {person} came from {identity.provider.title} before.")


def note_refusal(identity: Identity, error: SignInError) -> None:
    """Into the audit, where the provider has said for sure who it was."""
    if error.refusal.is_recorded:
        with transaction.atomic():
            record(
                system(f"oidc:{identity.provider.key}"), "signin.refused", name=identity.shown["preferred_username"],
                code=error.code, reason=error.sentence, **identity.shown,
            )  # fmt: skip


def _known(identity: Identity) -> SocialAccount | None:
    found: SocialAccount | None = (
        SocialAccount.objects.select_related("user").filter(provider=identity.provider.key, uid=identity.uid).first()
    )
    return found


def _new(actor: Actor, identity: Identity) -> SocialAccount:
    if not identity.email:
        raise SignInError("address_missing", "Its answer has no mail address that could be one.")
    person = _owner_of_address(identity)
    if person is None:
        person = _make(actor, identity)
    else:
        record(actor, "identity.connected", person, by="address", **identity.shown)
    made: SocialAccount = SocialAccount.objects.create(
        user=person, provider=identity.provider.key, uid=identity.uid, extra_data=identity.shown
    )
    return made


def _owner_of_address(identity: Identity) -> User | None:
    """The person to be joined, or nobody where the address is free. Raises SignInError where it is taken and may not be joined.

    It takes all of: the operator wants it, the provider has proved the address, and so have we, for one person, who did not come
    from there before (addresses of people who left are given away again) and is not kept local on purpose."""
    taken = Q(email__iexact=identity.email)
    if not User.objects.filter(taken).exists() and not EmailAddress.objects.filter(taken).exists():
        return None
    person = person_by_claim(identity.email) if identity.provider.join_by_email and identity.is_email_proved else None
    if person is None or is_break_glass(person) or _comes_from(person, identity):
        raise SignInError("address_taken", f"Somebody has {identity.email} here already.")
    return person


def _comes_from(person: User, identity: Identity) -> bool:
    return bool(SocialAccount.objects.filter(user=person, provider=identity.provider.key).exists())


def _make(actor: Actor, identity: Identity) -> User:
    name = free_name(identity.names, lambda wanted: User.objects.filter(username=wanted).exists())
    person = User(username=name, email=identity.email, first_name=identity.first_name, last_name=identity.last_name)
    person.set_unusable_password()
    person.full_clean()
    person.save()
    EmailAddress.objects.create(user=person, email=identity.email, verified=identity.is_email_proved, primary=True)
    record(actor, "person.created", person, roles=[], **identity.shown)
    return person
