"""Cleanup in the admin, by plain forms."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from portal.audit.models import AuditEvent
from portal.users.models import RoleGrant, User
from registries.oci.client import Client
from registries.retention.models import CleanupJob, Plan, RetentionPolicy
from registries.topology.models import Registry
from tests.fakes.content import put_image, put_two_platforms
from tests.registries.retention.stories import age, planned, run_open_job, sync, tags_at, week

pytestmark = pytest.mark.django_db

ClientOf = Callable[[Registry], Client]


@pytest.fixture
def browser(admin: User) -> Browser:
    browser = Browser(enforce_csrf_checks=False)
    browser.force_login(admin)
    return browser


def page(browser: Browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_plan_is_made_looked_at_and_executed_by_forms(
    faulty_sandbox: Registry, client_of: ClientOf, browser: Browser
) -> None:
    client = client_of(faulty_sandbox)
    put_two_platforms(client, "app", "old")
    put_image(client, "app", tag="young", layers=(b"young",))
    sync(faulty_sandbox)
    age(faulty_sandbox, "old")
    week(faulty_sandbox)

    answer = browser.post("/admin/retention/plan/add/", {"registry": faulty_sandbox.pk})
    plan = Plan.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/admin/retention/plan/{plan.pk}/change/"
    assert "The plan is being made" in page(browser, answer["Location"])
    assert plan.created_by == "ada"

    run_open_job(plan)
    shown = page(browser, f"/admin/retention/plan/{plan.pk}/change/")
    assert "1 tag of sandbox may go" in shown
    assert "Execute this plan" in shown
    assert "it may go after 7 days" in shown
    assert "app:old" in shown

    answer = browser.post(f"/admin/retention/plan/{plan.pk}/execute/")
    assert answer.status_code == 302
    assert "The plan is being executed" in page(browser, f"/admin/retention/plan/{plan.pk}/change/")
    run_open_job(plan)
    shown = page(browser, f"/admin/retention/plan/{plan.pk}/change/")
    assert "The plan was executed" in shown
    assert "1 deleted" in shown
    assert set(tags_at(client, "app")) == {"app:young"}

    items = page(browser, f"/admin/retention/planitem/?plan__id__exact={plan.pk}")
    assert "app" in items
    browser.post(
        "/admin/retention/planitem/",
        {"action": "restore_selected", "_selected_action": [plan.items.get(tag="old").pk]},
    )
    assert CleanupJob.objects.filter(step="restore").count() == 1


def test_executing_takes_a_form_with_its_token(faulty_sandbox: Registry, admin: User) -> None:
    plan = Plan.objects.create(registry=faulty_sandbox, state="ready", delete_count=1, created_by="ada")
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(admin)

    assert strict.post(f"/admin/retention/plan/{plan.pk}/execute/").status_code == 403
    assert strict.get(f"/admin/retention/plan/{plan.pk}/execute/").status_code == 405
    assert not CleanupJob.objects.exists()


def test_an_auditor_looks_and_cannot_execute(faulty_sandbox: Registry) -> None:
    plan = Plan.objects.create(registry=faulty_sandbox, state="ready", delete_count=1, created_by="ada")
    auditor = User.objects.create(username="otto", email="otto@example.com")
    RoleGrant.objects.create(user=auditor, role="auditor")
    browser = Browser()
    browser.force_login(auditor)

    shown = page(browser, f"/admin/retention/plan/{plan.pk}/change/")
    assert "Execute this plan" not in shown
    assert "Platform admins and maintainers of the team that owns sandbox execute it." in shown
    browser.post(f"/admin/retention/plan/{plan.pk}/execute/")
    browser.post(f"/admin/retention/plan/{plan.pk}/stop/")
    plan.refresh_from_db()
    assert plan.state == "ready"
    assert browser.post("/admin/retention/plan/add/", {"registry": faulty_sandbox.pk}).status_code == 403


def test_a_preview_says_how_to_make_it_real(faulty_sandbox: Registry, browser: Browser) -> None:
    Registry.objects.update(is_retention_enabled=False)
    plan = Plan.objects.create(registry=faulty_sandbox, state="ready", is_preview=True, delete_count=1, created_by="a")

    shown = page(browser, f"/admin/retention/plan/{plan.pk}/change/")
    assert "Execute this plan" not in shown
    assert "this plan is a preview" in shown


def test_a_plan_with_a_thousand_tags_opens_with_few_queries(
    faulty_sandbox: Registry, browser: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    from registries.oci.digest import Digest
    from registries.retention.models import PlanItem

    plan = Plan.objects.create(registry=faulty_sandbox, state="ready", delete_count=1000, created_by="ada")
    digest = Digest.of(b"")
    PlanItem.objects.bulk_create(
        PlanItem(plan=plan, repository=f"r{n % 7}", tag=f"t{n}", digest=digest, decision="delete", reason="old")
        for n in range(1000)
    )

    with django_assert_max_num_queries(20):
        shown = page(browser, f"/admin/retention/plan/{plan.pk}/change/")
    assert "the first 100 of 1000" in shown
    with django_assert_max_num_queries(20):
        page(browser, f"/admin/retention/planitem/?plan__id__exact={plan.pk}")


@pytest.mark.parametrize(
    ("typed", "seconds"), [("7d", 604_800), ("12h", 43_200), ("2w", 1_209_600), ("0s", 0), ("P1D", 86_400)]
)
def test_an_age_is_written_as_people_write_it(
    faulty_sandbox: Registry, browser: Browser, typed: str, seconds: int
) -> None:
    answer = browser.post("/admin/retention/retentionpolicy/add/", _policy(faulty_sandbox, older_than=typed))

    assert answer.status_code == 302
    policy = RetentionPolicy.objects.get()
    assert policy.older_than_seconds == seconds
    shown = page(browser, f"/admin/retention/retentionpolicy/{policy.pk}/change/")
    assert 'name="older_than"' in shown
    assert AuditEvent.objects.filter(verb="retentionpolicy.created").count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"older_than": "soon"}, "expected something like 7d"),
        ({"older_than": ""}, "Give an age, a number of newest tags, or tags to protect."),
        ({"max_share_percent": "0"}, "Give a share from 1 to 100 per cent."),
        ({"max_share_percent": "101"}, "Give a share from 1 to 100 per cent."),
    ],
)
def test_a_policy_that_says_nothing_sensible_is_refused(
    faulty_sandbox: Registry, browser: Browser, changes: dict[str, str], words: str
) -> None:
    answer = browser.post("/admin/retention/retentionpolicy/add/", _policy(faulty_sandbox, **changes))

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not RetentionPolicy.objects.exists()


def _policy(registry: Registry, **changes: str) -> dict[str, object]:
    return {
        "name": "week",
        "is_enabled": "on",
        "position": "0",
        "registry": registry.pk,
        "repository_glob": "**",
        "tag_glob": "*",
        "older_than": "7d",
        "keep_newest": "0",
        "max_share_percent": "100",
        **changes,
    }


def test_every_list_opens(faulty_sandbox: Registry, browser: Browser) -> None:
    week(faulty_sandbox)
    planned(faulty_sandbox)

    for model in ("plan", "planitem", "retentionpolicy", "cleanupjob"):
        page(browser, f"/admin/retention/{model}/")


def test_every_page_of_a_row_opens(faulty_sandbox: Registry, client_of: ClientOf, browser: Browser) -> None:
    put_image(client_of(faulty_sandbox), "app", tag="v1")
    sync(faulty_sandbox)
    plan = planned(faulty_sandbox)

    page(browser, f"/admin/retention/planitem/{plan.items.get().pk}/change/")
    page(browser, f"/admin/retention/cleanupjob/{plan.jobs.get().pk}/change/")
