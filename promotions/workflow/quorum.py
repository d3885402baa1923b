"""Who may decide about a request, and have enough of them agreed?"""

from portal.approvals.matching import Outcome, RuleNeed, match_approvals
from portal.approvals.queries import approvers, decisions_on, needs_for
from portal.users.models import User
from portal.users.queries import person_by_claim
from promotions.workflow.models import PromotionRequest
from promotions.workflow.snapshot import pinned_rules

BUILDER_CLAIMS = ("actor", "commit_author")


def barred_people(request: PromotionRequest) -> dict[str, str]:
    """User name -> why this person may not decide: who asks, who is behind the CI job, and who built it."""
    barred: dict[str, str] = {}
    for claim in BUILDER_CLAIMS:
        person = person_by_claim(str(request.ci[claim])) if request.ci.get(claim) else None
        if person is not None:
            barred[person.username] = "You built this artifact, so somebody else has to decide."
    if request.requester_kind == "user":
        asker = User.objects.filter(pk=request.requester_key).first()
        if asker is not None:
            barred[asker.username] = "You asked for this promotion, so somebody else has to decide."
    source = request.requester_name
    is_direct = request.requester_kind == "user" and request.requester_key == str(request.on_behalf_of_id)
    behind = "You asked for this promotion" if is_direct else f"{source} asked for this promotion in your name"
    barred[request.on_behalf_of.username] = f"{behind}, so somebody else has to decide."
    return barred


def repository_of(request: PromotionRequest) -> str:
    return request.item.target_repository


def needs_of(request: PromotionRequest) -> list[RuleNeed]:
    """Slots and eligible people by the pinned rules and today's roles and teams."""
    return needs_for(pinned_rules(request.policy), repository_of(request), barred_people(request).keys())


def outcome_of(request: PromotionRequest) -> Outcome:
    """Which slots are filled by the decisions that stand in the present round; those who lost their right no longer count."""
    return match_approvals(needs_of(request), approvers(decisions_on(request), request.round))
