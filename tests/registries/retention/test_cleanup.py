"""Plans and their execution, on a real registry that deletes no single tags."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from portal.users.models import Membership, Team, User
from registries.catalog.holds import place_hold
from registries.catalog.models import Manifest, Placement, RegistrySyncState, Repository, Tag, TagEvent
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.verify import verify_artifact
from registries.retention.models import CleanupJob, Plan, PlanItem
from registries.retention.operations import execute_plan, request_plan, restore_tag, stop_plan
from registries.topology.models import Registry
from tests.fakes.content import put_image, put_signature, put_two_platforms
from tests.registries.retention.stories import (
    age,
    decisions,
    executed,
    outcomes,
    planned,
    run_open_job,
    sync,
    tags_at,
    week,
)
from tests.registries.rows import ALICE

pytestmark = pytest.mark.django_db

ClientOf = Callable[[Registry], Client]


@pytest.fixture
def client(sandbox: Registry, client_of: ClientOf) -> Client:
    return client_of(sandbox)


def test_the_old_go_and_the_young_stay(sandbox: Registry, client: Client, admin: User) -> None:
    old = put_two_platforms(client, "app", "old")
    young = Digest(put_image(client, "app", tag="young", layers=(b"young",))["digest"])
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)

    plan = planned(sandbox)
    assert (plan.state, plan.keep_count, plan.delete_count) == ("ready", 1, 1)
    assert decisions(plan) == {"app:old": "delete", "app:young": "keep"}
    item = plan.items.get(tag="old")
    assert item.reason == "It has not moved for 30 days; it may go after 7 days."
    assert item.rule == "week"
    assert 2000 < plan.freed_bytes == item.freed_bytes
    assert "until the registry collects garbage" in plan.undo_text

    executed(plan, admin)
    assert (plan.state, outcomes(plan)) == ("done", {"app:old": "deleted", "app:young": "kept"})
    assert tags_at(client, "app") == {"app:young": young}
    assert client.head_manifest("app", old) is None
    assert verify_artifact(client, "app", young).is_complete
    assert not Tag.objects.filter(name="old").exists()
    event = TagEvent.objects.get(tag="old", kind="removed")
    assert (event.source, event.actor_name) == ("job", "ada")
    assert event.intent is not None
    assert AuditEvent.objects.filter(verb="plan.executed").count() == 1
    left = Placement.objects.filter(repository__name="app", absent_since=None)
    assert set(left.values_list("manifest__digest", flat=True)) == {young}


def test_what_the_plan_frees_is_what_nothing_else_needs(sandbox: Registry, client: Client) -> None:
    shared, own = b"s" * 10_000, b"o" * 3_000
    put_image(client, "app", tag="old", layers=(shared, own))
    put_image(client, "other", tag="new", layers=(shared,))
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)

    plan = planned(sandbox)

    assert 3_000 < plan.freed_bytes < 5_000


def test_a_tag_goes_and_its_siblings_on_the_same_digest_stay(sandbox: Registry, client: Client, admin: User) -> None:
    digest = str(put_two_platforms(client, "app", "v1"))
    for tag in ("old", "older", "latest"):
        manifest = client.get_manifest("app", digest)
        client.put_manifest("app", tag, manifest.raw, manifest.media_type)
    sync(sandbox)
    age(sandbox, "old", "older")
    week(sandbox)

    plan = executed(planned(sandbox), admin)

    assert plan.freed_bytes == 0
    assert outcomes(plan) == {"app:latest": "kept", "app:old": "deleted", "app:older": "deleted", "app:v1": "kept"}
    assert tags_at(client, "app") == {"app:latest": digest, "app:v1": digest}
    assert verify_artifact(client, "app", Digest(digest)).is_complete


def test_all_tags_of_a_digest_go_with_it(sandbox: Registry, client: Client, admin: User) -> None:
    digest = put_two_platforms(client, "app", "a")
    manifest = client.get_manifest("app", digest)
    client.put_manifest("app", "b", manifest.raw, manifest.media_type)
    put_image(client, "app", tag="keep", layers=(b"other",))
    sync(sandbox)
    age(sandbox, "a", "b")
    week(sandbox)

    plan = executed(planned(sandbox), admin)

    assert set(tags_at(client, "app")) == {"app:keep"}
    assert client.head_manifest("app", digest) is None
    assert outcomes(plan)["app:a"] == outcomes(plan)["app:b"] == "deleted"


def test_a_child_of_a_kept_index_stays_when_its_own_tag_goes(sandbox: Registry, client: Client, admin: User) -> None:
    index = put_two_platforms(client, "app", "v1")
    child = client.get_manifest("app", index).children[0].digest
    manifest = client.get_manifest("app", child)
    client.put_manifest("app", "v1-amd64", manifest.raw, manifest.media_type)
    sync(sandbox)
    age(sandbox, "v1-amd64")
    week(sandbox)

    executed(planned(sandbox), admin)

    assert set(tags_at(client, "app")) == {"app:v1"}
    assert verify_artifact(client, "app", index).is_complete


def test_signatures_go_with_their_image_and_not_before(sandbox: Registry, client: Client, admin: User) -> None:
    old, new = (Digest(put_image(client, "app", tag=tag, layers=(tag.encode(),))["digest"]) for tag in ("old", "new"))
    signatures = [f"{digest.fallback_tag}.sig" for digest in (old, new)]
    for signature in signatures:
        put_image(client, "app", tag=signature, layers=(signature.encode(),))
    sync(sandbox)
    age(sandbox, "old", *signatures)
    week(sandbox)

    executed(planned(sandbox), admin)

    assert set(tags_at(client, "app")) == {"app:new", f"app:{signatures[1]}"}


def test_a_preview_is_never_executed(sandbox: Registry, client: Client, admin: User) -> None:
    put_image(client, "app", tag="old")
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    Registry.objects.update(is_retention_enabled=False)

    plan = planned(sandbox)

    assert plan.is_preview
    with pytest.raises(Problem) as refusal:
        execute_plan(admin.actor, admin, plan)
    assert "preview" in refusal.value.detail
    assert set(tags_at(client, "app")) == {"app:old"}


def test_switching_cleanup_off_stops_a_plan_that_waits(sandbox: Registry, client: Client, admin: User) -> None:
    put_image(client, "app", tag="old")
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    plan = planned(sandbox)
    execute_plan(admin.actor, admin, plan)
    Registry.objects.update(is_retention_enabled=False)

    job = run_open_job(plan)

    assert (job.state, job.reason_code) == ("failed", "switched_off")
    assert set(tags_at(client, "app")) == {"app:old"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"listed_at": None}, "never read completely"),
        ({"listed_at": timezone.now() - timedelta(hours=25)}, "was last read"),
        ({"failed_at": timezone.now() + timedelta(hours=1), "failure_text": "it was down"}, "it was down"),
        ({"braked_at": timezone.now(), "brake_text": "30 of 30 tags"}, "30 of 30 tags"),
    ],
)
def test_what_is_not_known_well_is_not_planned(
    sandbox: Registry, client: Client, admin: User, change: dict[str, object], words: str
) -> None:
    put_image(client, "app", tag="old")
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    RegistrySyncState.objects.update(**change)

    plan = planned(sandbox)

    assert plan.state == "refused"
    assert words in plan.reason_text
    with pytest.raises(Problem):
        execute_plan(admin.actor, admin, plan)


def test_a_repository_that_could_not_be_read_keeps_everything(sandbox: Registry, client: Client) -> None:
    put_image(client, "app", tag="old")
    put_image(client, "other", tag="old")
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    state = Repository.objects.get(name="app").sync_state
    state.failed_at, state.failure_text = timezone.now(), "500"
    state.save()

    plan = planned(sandbox)

    assert decisions(plan) == {"app:old": "keep", "other:old": "delete"}
    assert "could not be read" in plan.items.get(repository="app").reason


def test_a_policy_that_takes_more_than_its_share_is_refused(sandbox: Registry, client: Client, admin: User) -> None:
    for tag in ("a", "b", "c"):
        put_image(client, "app", tag=tag, layers=(tag.encode(),))
    sync(sandbox)
    age(sandbox, "a", "b")
    week(sandbox, max_share_percent=50)

    plan = planned(sandbox)

    assert (plan.state, plan.delete_count) == ("refused", 2)
    assert "2 of 3 tags" in plan.reason_text
    with pytest.raises(Problem):
        execute_plan(admin.actor, admin, plan)


def test_without_policies_a_plan_lets_nothing_go(sandbox: Registry, client: Client, admin: User) -> None:
    put_image(client, "app", tag="old")
    sync(sandbox)
    age(sandbox, "old", days=10_000)

    plan = planned(sandbox)

    assert (plan.state, plan.keep_count, plan.delete_count) == ("ready", 1, 0)
    with pytest.raises(Problem) as refusal:
        execute_plan(admin.actor, admin, plan)
    assert "lets nothing go" in refusal.value.detail


def test_a_tag_that_moved_since_the_plan_is_left_alone(sandbox: Registry, client: Client, admin: User) -> None:
    put_image(client, "app", tag="old")
    put_image(client, "app", tag="gone", layers=(b"gone",))
    sync(sandbox)
    age(sandbox, "old", "gone")
    week(sandbox)
    plan = planned(sandbox)
    newer = put_image(client, "app", tag="old", layers=(b"newer",))["digest"]
    gone = client.head_manifest("app", "gone")
    assert gone is not None
    client.delete_manifest("app", gone.digest)

    executed(plan, admin)

    assert outcomes(plan) == {"app:old": "skipped", "app:gone": "skipped"}
    assert newer in plan.items.get(tag="old").outcome_text
    assert tags_at(client, "app") == {"app:old": newer}


def test_a_tag_pushed_since_the_plan_keeps_its_digest(sandbox: Registry, client: Client, admin: User) -> None:
    digest = str(put_two_platforms(client, "app", "old"))
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    plan = planned(sandbox)
    manifest = client.get_manifest("app", digest)
    client.put_manifest("app", "release", manifest.raw, manifest.media_type)

    executed(plan, admin)

    assert outcomes(plan) == {"app:old": "deleted"}
    assert tags_at(client, "app") == {"app:release": digest}
    assert verify_artifact(client, "app", Digest(digest)).is_complete


def test_a_hold_placed_after_the_plan_keeps_the_tag(sandbox: Registry, client: Client, admin: User) -> None:
    held = put_two_platforms(client, "app", "held")
    put_image(client, "app", tag="free", layers=(b"free",))
    sync(sandbox)
    age(sandbox, "held", "free")
    week(sandbox)
    plan = planned(sandbox)
    place_hold(held, "deployed", "it runs in eu", sandbox.zone)

    executed(plan, admin)

    assert outcomes(plan) == {"app:held": "kept", "app:free": "deleted"}
    assert "it runs in eu" in plan.items.get(tag="held").outcome_text
    assert verify_artifact(client, "app", held).is_complete


def test_a_held_child_keeps_its_index(sandbox: Registry, client: Client) -> None:
    index = put_two_platforms(client, "app", "v1")
    sync(sandbox)
    age(sandbox, "v1")
    week(sandbox)
    place_hold(client.get_manifest("app", index).children[1].digest, "deployed", "it runs in us", sandbox.zone)

    assert decisions(planned(sandbox)) == {"app:v1": "keep"}


def test_a_deleted_tag_can_be_put_back(sandbox: Registry, client: Client, admin: User) -> None:
    digest = put_two_platforms(client, "app", "old")
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    plan = executed(planned(sandbox), admin)
    assert client.head_manifest("app", digest) is None

    restore_tag(admin.actor, plan.items.get())
    job = run_open_job(plan)

    assert job.state == "done", job.reason_text
    assert tags_at(client, "app") == {"app:old": digest}
    assert verify_artifact(client, "app", digest).is_complete
    assert Tag.objects.get().manifest.digest == digest
    assert outcomes(plan) == {"app:old": "restored"}
    with pytest.raises(Problem):
        restore_tag(admin.actor, plan.items.get())


def test_a_tag_whose_layers_are_gone_is_not_put_back(sandbox: Registry, client: Client, admin: User) -> None:
    put_image(client, "app", tag="old", layers=(b"a layer",))
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    plan = executed(planned(sandbox), admin)
    client.delete_blob("app", Digest.of(b"a layer"))

    restore_tag(admin.actor, plan.items.get())
    job = run_open_job(plan)

    assert (job.state, job.reason_code) == ("failed", "undo_impossible")
    assert "1 of 2 blobs" in job.reason_text
    assert client.tags("app") == []


def test_a_tag_that_was_pushed_anew_is_not_overwritten_by_undo(sandbox: Registry, client: Client, admin: User) -> None:
    put_image(client, "app", tag="old")
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    plan = executed(planned(sandbox), admin)
    newer = put_image(client, "app", tag="old", layers=(b"newer",))["digest"]

    restore_tag(admin.actor, plan.items.get())

    assert run_open_job(plan).reason_code == "tag_taken"
    assert tags_at(client, "app") == {"app:old": newer}


def test_who_executes_a_plan(sandbox: Registry, client: Client) -> None:
    put_image(client, "app", tag="old")
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    plan = planned(sandbox)
    team = Team.objects.create(name="platform")
    Registry.objects.update(owner=team)
    maintainer = User.objects.create(username="mia", email="mia@example.com")
    member = User.objects.create(username="max", email="max@example.com")
    Membership.objects.create(team=team, user=maintainer, role="maintainer")
    Membership.objects.create(team=team, user=member)
    plan.refresh_from_db()

    with pytest.raises(Problem) as refusal:
        execute_plan(member.actor, member, plan)
    assert refusal.value.status == 403
    with pytest.raises(Problem):
        execute_plan(ALICE, None, plan)
    assert executed(plan, maintainer).state == "done"
    assert plan.executed_by == maintainer


def test_a_plan_is_executed_once(sandbox: Registry, client: Client, admin: User) -> None:
    put_image(client, "app", tag="old")
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    plan = planned(sandbox)
    execute_plan(admin.actor, admin, plan)

    with pytest.raises(Problem):
        execute_plan(admin.actor, admin, plan)
    assert CleanupJob.objects.filter(plan=plan, step="execute").count() == 1


def test_a_plan_that_is_stopped_before_it_began_removes_nothing(sandbox: Registry, client: Client, admin: User) -> None:
    put_image(client, "app", tag="old")
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    plan = planned(sandbox)
    execute_plan(admin.actor, admin, plan)

    assert stop_plan(admin.actor, plan)

    plan.refresh_from_db()
    assert plan.state == "stopped"
    assert set(tags_at(client, "app")) == {"app:old"}
    assert not stop_plan(admin.actor, plan)


def test_a_plan_of_an_empty_registry(sandbox: Registry) -> None:
    sync(sandbox)
    week(sandbox)

    plan = planned(sandbox)

    assert (plan.state, plan.keep_count, plan.delete_count) == ("ready", 0, 0)


def test_manifests_are_kept_after_their_tags_are_gone(sandbox: Registry, client: Client, admin: User) -> None:
    digest = put_two_platforms(client, "app", "old")
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)
    executed(planned(sandbox), admin)

    assert Manifest.objects.get(digest=digest).body.raw
    assert not Placement.objects.filter(absent_since=None).exists()
    assert PlanItem.objects.get().outcome == "deleted"
    sync(sandbox)
    assert TagEvent.objects.filter(kind="removed").count() == 1


def test_a_plan_asked_for_is_on_the_record(sandbox: Registry) -> None:
    plan = request_plan(ALICE, sandbox)

    assert plan.state == Plan.State.PLANNING
    assert AuditEvent.objects.get(verb="plan.requested").actor_name == "alice"


def test_referrers_found_by_the_fallback_tag_go_with_their_subject(
    sandbox: Registry, client: Client, admin: User
) -> None:
    from registries.oci.fallback import add_to_fallback
    from registries.oci.referrers import as_referrer

    digest = put_two_platforms(client, "app", "old")
    signature = put_signature(client, "app", digest, 1)
    add_to_fallback(client, "app", digest, [as_referrer(client.get_manifest("app", signature))])
    put_image(client, "app", tag="keep", layers=(b"other",))
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)

    plan = planned(sandbox)
    assert decisions(plan) == {f"app:{digest.fallback_tag}": "delete", "app:old": "delete", "app:keep": "keep"}

    executed(plan, admin)
    assert set(tags_at(client, "app")) == {"app:keep"}
    assert client.head_manifest("app", signature) is None
