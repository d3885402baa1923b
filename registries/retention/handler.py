"""The handler of cleanup jobs: plan, execute, or put back."""

from portal.jobs.run import Claim
from registries.retention.execute import execute
from registries.retention.models import CleanupJob
from registries.retention.plan import make_plan
from registries.retention.restore import restore

STEPS = {
    CleanupJob.Step.PLAN: make_plan,
    CleanupJob.Step.EXECUTE: execute,
    CleanupJob.Step.RESTORE: restore,
}


def run_cleanup(claim: Claim[CleanupJob]) -> None:
    """Do the step the job is for."""
    STEPS[CleanupJob.Step(claim.job.step)](claim)
