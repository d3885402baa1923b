"""Write down what somebody decided."""

from django.db import models
from django.utils import timezone

from portal.actor import Actor
from portal.approvals.models import Decision
from portal.audit.record import record
from portal.users.models import User

PAST = {
    Decision.Verdict.APPROVE: "approved",
    Decision.Verdict.REJECT: "rejected",
    Decision.Verdict.WITHDRAW: "withdrawn",
}


def record_decision(
    actor: Actor,
    user: User,
    subject: models.Model,
    verdict: Decision.Verdict,
    *,
    round_number: int,
    version: int,
    evidence_digest: str,
    comment: str = "",
    rule_names: tuple[str, ...] = (),
) -> Decision:
    """One row and its audit event, in the caller's transaction, which must hold the subject's lock.

    Whether the person may decide is the caller's to know; here it is only made to last."""
    decision = Decision.objects.create(
        subject_label=subject._meta.label_lower,
        subject_key=str(subject.pk),
        round=round_number,
        user=user,
        verdict=verdict,
        comment=comment,
        subject_version=version,
        evidence_digest=evidence_digest,
        rule_names=list(rule_names),
        decided_at=timezone.now(),
    )
    record(
        actor,
        f"{subject._meta.model_name}.{PAST[verdict]}",
        subject,
        comment=comment,
        rules=list(rule_names),
        evidence=evidence_digest,
    )
    return decision
