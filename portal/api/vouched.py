"""Whom does an issuer vouch for behind a CI job? What a keyless credential carries counts more than what the job says."""

from portal.globs import matches
from portal.http.problem import Problem
from portal.users.models import User
from portal.users.queries import person_by_claim
from registries.access.keyless.federation_models import Exchange
from registries.access.models import Secret


def exchange_of(secret: Secret) -> Exchange | None:
    """What the credential was made from; None for one that somebody was shown."""
    rows = Exchange.objects.select_related("rule", "on_behalf_of", "secret")
    return rows.filter(secret=secret).first()


def check_narrowing(secret: Secret, repository: str) -> None:
    """Raises Problem 403 ``not_allowed`` where the credential is not good for the repository."""
    if secret.pattern and not matches(secret.pattern, repository):
        raise Problem(403, "not_allowed", f"This credential is good for {secret.pattern} alone, not for {repository}.")


def verified_person(exchange: Exchange, claim: str) -> tuple[User, str] | None:
    """The person, and that the issuer vouches for them; None where the rule names no claim for persons.

    Raises Problem 422 ``unknown_actor`` where the token named nobody we know, ``not_the_actor`` where the job names another."""
    rule, person = exchange.rule, exchange.on_behalf_of
    if not rule.person_claim and not exchange.person and person is None:
        return None
    if person is None or not person.is_active:
        raise Problem(
            422,
            "unknown_actor",
            f"The job's token says {rule.person_claim} {exchange.person[:120]!r}, which is not the user name or the verified "
            "mail address of exactly one active person. That person signs in to the portal once, or an admin adds them.",
        )
    if claim and person_by_claim(claim) != person:
        text = f"The job's token says that {person} started it; leave on_behalf_of out, or say the same."
        raise Problem(422, "not_the_actor", text)
    return person, "oidc"
