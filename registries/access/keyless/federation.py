"""Exchange an identity token of a CI job for a robot's credential of a quarter of an hour, which carries the person behind the job."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction

from portal.actor import system
from portal.audit.record import record
from portal.users.models import User
from portal.users.queries import person_by_claim
from registries.access.counts.attempts import count_attempt, forget_old_attempts
from registries.access.credential.credentials import issue_robot_secret
from registries.access.keyless.claims import claim_text, match_claims
from registries.access.keyless.federation_models import LIFE, Exchange, FederationRule, UsedToken
from registries.access.keyless.identity_token import LEEWAY_SECONDS, RefusedTokenError, Verified, verify_token
from registries.access.models import Secret

PER_ADDRESS: Final = 60
PER_RULE: Final = 120
KEPT: Final = timedelta(days=7)
# What is worth keeping of a token, where it is there: which job of which build this was.
TOLD: Final = (
    "sub", "repository", "repository_id", "repository_owner_id", "project_path", "project_id", "namespace_id", "ref",
    "ref_type", "ref_protected", "sha", "run_id", "run_attempt", "pipeline_id", "job_id", "job_workflow_ref", "workflow_ref",
    "event_name", "environment", "actor", "user_login", "user_email",
)  # fmt: skip


class TooManyExchangesError(Exception):
    """Asked more often than once a second over a minute; try again in the next."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """``text`` is the secret, which is nowhere else."""

    exchange: Exchange
    secret: Secret
    text: str


def exchange_token(text: str, robot: str, address: str, now: datetime) -> Exchanged:
    """``robot`` is the login of the one that is wanted, empty where only one can be meant.

    Raises RefusedTokenError, which is in the audit by then, and TooManyExchangesError."""
    _count(f"address:{address}", PER_ADDRESS, now)
    try:
        verified = verify_token(text, now)
        rule = _rule(verified, robot, now)
        _count(f"rule:{rule.pk}", PER_RULE, now)
        return _issue(verified, rule, address, now)
    except RefusedTokenError as error:
        _note_refusal(error, address)
        raise


def told(claims: dict[str, Any]) -> dict[str, str]:
    """The claims that are kept, as short texts."""
    texts = {name: claim_text(claims.get(name)) for name in TOLD}
    return {name: printable(said)[:255] for name, said in texts.items() if said}


def forget_old_exchanges(now: datetime) -> None:
    """Tokens that have expired anyway, counts of past minutes, and secrets that ended a week ago; the audit keeps what happened."""
    UsedToken.objects.filter(expires_at__lt=now).delete()
    forget_old_attempts(now)
    Secret.objects.filter(exchange__isnull=False, expires_at__lt=now - KEPT).delete()


def _rule(verified: Verified, robot: str, now: datetime) -> FederationRule:
    """The one rule that matches; several for one robot are as good as one, several robots are for the job to choose from."""
    rows = FederationRule.objects.filter(issuer=verified.issuer, is_enabled=True).select_related("issuer", "robot")
    reasons = {row: _mismatch(row, verified, robot, now) for row in rows.order_by("pk")}
    fitting = [row for row, reason in reasons.items() if not reason]
    if not fitting:
        text = "; ".join(f"{row}: {reason}" for row, reason in reasons.items()) or "the issuer has no rules"
        raise RefusedTokenError("no_rule", f"No rule matches: {text}"[:2000], verified.issuer, verified.claims)
    if len({row.robot_id for row in fitting}) > 1:
        names = ", ".join(sorted(row.robot.login for row in fitting))
        text = f"Rules for several robots match, so the job has to name one of {names}."
        raise RefusedTokenError("several_robots", text, verified.issuer, verified.claims)
    return fitting[0]


def _mismatch(rule: FederationRule, verified: Verified, robot: str, now: datetime) -> str:
    account = rule.robot
    if robot and account.login != robot:
        return f"it is for {account}"
    if account.kind != "ci" or not account.is_active or (account.expires_at and account.expires_at <= now):
        return f"{account} is not active or not of kind CI"
    return match_claims(rule.wanted, verified.claims)


def _issue(verified: Verified, rule: FederationRule, address: str, now: datetime) -> Exchanged:
    said = claim_text(verified.claims.get(rule.person_claim)) or "" if rule.person_claim else ""
    said = printable(said)
    person = person_by_claim(said) if said else None
    claims = told(verified.claims)
    with transaction.atomic():
        _claim(verified, now)
        secret, text = issue_robot_secret(rule.robot.actor, rule.robot, f"keyless: {rule.name}"[:80], now + LIFE)
        secret.pattern, secret.actions, secret.is_keyless = rule.pattern, ",".join(rule.actions), True
        secret.save(update_fields=["pattern", "actions", "is_keyless"])
        made = Exchange.objects.create(secret=secret, rule=rule, on_behalf_of=person, person=said[:255], claims=claims)
        _record_issue(made, verified, person, address)
    return Exchanged(made, secret, text)


def _record_issue(made: Exchange, verified: Verified, person: User | None, address: str) -> None:
    name = person.username if person else ""
    issuer = verified.issuer.url
    record(
        made.rule.robot.actor, "oidc.exchanged", made.rule, issuer=issuer, on_behalf_of=name, address=address,
        claims=made.claims, handle=made.secret.handle,
    )  # fmt: skip


def _claim(verified: Verified, now: datetime) -> None:
    """The token is used from here on; of two requests at the same moment the database lets one through."""
    jti_hash = hashlib.sha256(verified.claims["jti"].encode("utf-8", "surrogatepass")).hexdigest()
    try:
        ends = datetime.fromtimestamp(float(verified.claims["exp"]) + LEEWAY_SECONDS + 5, UTC)
        with transaction.atomic():
            UsedToken.objects.create(issuer=verified.issuer, jti_hash=jti_hash, expires_at=max(ends, now))
    except IntegrityError as error:
        text = "This token has been exchanged before."
        raise RefusedTokenError("reused", text, verified.issuer, verified.claims) from error
    except (OverflowError, ValueError, OSError) as error:
        raise RefusedTokenError("not_valid", "The token ends at no time we know.", verified.issuer) from error


def _count(key: str, limit: int, now: datetime) -> None:
    if count_attempt(key, now) > limit:
        raise TooManyExchangesError(f"More than {limit} exchanges in a minute.")


def _note_refusal(error: RefusedTokenError, address: str) -> None:
    with transaction.atomic():
        record(
            system("oidc"), "oidc.refused", error.issuer, code=error.code, reason=printable(str(error)), address=address,
            claims=told(error.claims),
        )  # fmt: skip


def printable(text: str) -> str:
    """Strangers wrote part of it, and databases refuse some of what they may write."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
