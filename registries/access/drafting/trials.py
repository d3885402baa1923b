"""Trials of drafts: ordered by somebody, done by a job, and put in force from there as long as nothing has changed since."""

from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction

from portal.actor import Actor
from portal.audit.record import record
from portal.http.problem import Problem
from portal.jobs.models import JobState
from portal.jobs.queue import enqueue, job_fields
from portal.jobs.run import Claim, JobFailed
from registries.access.drafting.drafts import put_in_force, version_of
from registries.access.drafting.hold_drafts import Comparison, Difference, Side, hold_drafts, rows_of
from registries.access.drafting.trial_models import DraftTrial
from registries.access.epoch import current_epoch
from registries.access.models import AccessRule

MOST_NAMED: Final = 20
# A database may keep the members of JSON in an order of its own; an export has one.
COLUMNS: Final = (
    "turns", "principal", "registry", "repository", "action", "requests", "addresses", "last_at", "rule", "before", "after"
)  # fmt: skip


def order_trial(actor: Actor, drafts: Sequence[AccessRule], without: Sequence[AccessRule] = ()) -> DraftTrial:
    """Have drafts held against the requests of the last 30 days. Raises Problem 422 ``no_draft`` where there is nothing to try."""
    keys = sorted({rule.pk for rule in drafts if rule.is_draft})
    left_out = sorted({rule.pk for rule in without if not rule.is_draft})
    if not keys and not left_out:
        raise Problem(422, "no_draft", "Choose at least one draft, or one rule to leave out.")
    about = [
        f"draft {rule.pk}: {rule}" + (f", in place of rule {rule.replaces_id}" if rule.replaces_id else "")
        for rule in drafts
    ]
    about += [f"without rule {rule.pk}: {rule}" for rule in without]
    with transaction.atomic():
        trial = DraftTrial.objects.create(drafts=keys, without=left_out, about="\n".join(about), **job_fields(actor))
        record(actor, "drafttrial.ordered", trial, drafts=keys, without=left_out)
        enqueue(trial)
    return trial


def run_trial(claim: Claim[DraftTrial]) -> None:
    """The job: read, compare, write down. It may run twice."""
    trial = claim.job
    drafts, without = rules_of_trial(trial)
    if len(drafts) < len(trial.drafts):
        raise JobFailed("no_draft", "Some of the drafts are gone, or in force already.")
    seen, epoch = version_of(drafts, without), current_epoch()

    def progress(done: int, total: int) -> None:
        claim.check()
        claim.progress(done, total, f"{done:,} of {total:,} rows of use", "rows")

    found = hold_drafts(drafts, without, progress=progress)
    if version_of(*rules_of_trial(trial)) != seen:
        raise JobFailed(
            "draft_changed", "A draft was changed while it was held against the requests; order another trial."
        )
    claim.write(
        seen=seen,
        epoch=epoch,
        refused_count=found.refused.requests,
        allowed_count=found.allowed.requests,
        result=result_of(found),
    )


def rules_of_trial(trial: DraftTrial) -> tuple[list[AccessRule], list[AccessRule]]:
    """The drafts that are still drafts, and the rules to leave out, as they are now."""
    drafts = AccessRule.objects.filter(pk__in=trial.drafts, is_draft=True).order_by("pk")
    return list(drafts), list(AccessRule.objects.filter(pk__in=trial.without).order_by("pk"))


def put_trial_in_force(actor: Actor, trial: DraftTrial) -> int:
    """What was tried becomes the policy; how many drafts. Raises Problem as put_in_force does, and 409 ``not_tried``."""
    if trial.state != JobState.DONE:
        raise Problem(409, "not_tried", "The trial has not ended well; wait for it, or order another.")
    drafts, without = rules_of_trial(trial)
    if len(drafts) < len(trial.drafts):
        raise Problem(
            409, "no_draft", "Some of it is no draft any more: somebody has put it in force or thrown it away."
        )
    return len(put_in_force(actor, drafts, without=without, seen=trial.seen))


def result_of(found: Comparison) -> dict[str, Any]:
    """Everything that pages and exports show, as JSON."""
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "rows_read": found.read,
        "unchanged": found.unchanged,
        "gone": found.gone,
        "gone_names": found.gone_names.most_common(MOST_NAMED),
        "refused": _side(found.refused),
        "allowed": _side(found.allowed),
        "rows": [row_of(row) for row in rows_of(found)],
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "requests": side.requests,
        "kinds": side.kinds,
        "by_principal": side.by_principal.most_common(MOST_NAMED),
        "by_rule": side.by_rule.most_common(MOST_NAMED),
    }


def row_of(row: Difference) -> dict[str, Any]:
    """One difference as a line of an export."""
    return {
        "turns": "allowed" if row.is_allowed else "refused",
        "principal": row.principal,
        "registry": row.registry,
        "repository": row.repository,
        "action": row.action,
        "requests": row.requests,
        "addresses": row.addresses,
        "last_at": row.last_at.isoformat(),
        "rule": row.rule,
        "before": row.before,
        "after": row.after,
    }
