"""Is it whole there? Every no says what is missing."""

from django.utils import timezone

from portal.jobs.models import JobState
from promotions.replication.models import Delivery
from promotions.replication.queries import regions as regions_from
from promotions.replication.readiness import Readiness, readiness_of
from promotions.replication.reconcile import reconcile
from registries.catalog.models import ManifestEdge, Placement, Repository
from registries.catalog.observe import record_placements
from registries.copies.models import CopyJob
from registries.oci.digest import Digest
from registries.topology.models import Registry, ZoneKind
from tests.promotions.replication.regions import Regions, end_copies
from tests.promotions.workflow.world import make_registry, put_image

NAME = "payments/api"


def ask(digest: Digest, registry: Registry) -> Readiness:
    (answer,) = readiness_of(digest, NAME, [registry])
    return answer


def arrive(registry: Registry, digest: Digest, tag: str = "1.4.2") -> None:
    """The runner of a copy writes the target's catalog."""
    put_image(registry, tag=tag)
    record_placements(Repository.objects.get(registry=registry, name=NAME), [digest], at=timezone.now())


def test_ready_is_what_was_read_back(regions: Regions) -> None:
    digest = regions.push()
    reconcile()
    end_copies()
    arrive(regions.eu, digest)
    reconcile()
    answer = ask(digest, regions.eu)
    assert (answer.is_ready, answer.code) == (True, "ready")
    assert (answer.manifests_present, answer.manifests_total) == (3, 3)
    assert answer.blobs_total == 4
    assert answer.verified_at is not None


def test_a_digest_nobody_has_shown(regions: Regions) -> None:
    answer = ask(Digest.of(b"never"), regions.eu)
    assert (answer.is_ready, answer.code) == (False, "unknown")


def test_on_its_way(regions: Regions) -> None:
    digest = regions.push()
    reconcile()
    assert ask(digest, regions.eu).code == "copying"


def test_on_its_way_with_what_holds_it_up(regions: Regions) -> None:
    digest = regions.push()
    reconcile()
    CopyJob.objects.update(reason_text="prod-eu asked for fewer requests.")
    assert "prod-eu asked for fewer requests." in ask(digest, regions.eu).reason
    regions.eu.is_replication_enabled = False
    regions.eu.save()
    assert "switched off at prod-eu" in ask(digest, regions.eu).reason


def test_failed_says_why(regions: Regions) -> None:
    digest = regions.push()
    reconcile()
    end_copies(JobState.FAILED, reason_text="prod-eu does not answer.")
    reconcile()
    answer = ask(digest, regions.eu)
    assert (answer.is_ready, answer.code) == (False, "failed")
    assert "prod-eu does not answer." in answer.reason


def test_missing_where_no_rule_leads(regions: Regions) -> None:
    assert ask(regions.push(), regions.us).code == "missing"


def test_a_child_that_went_makes_it_partial(regions: Regions) -> None:
    """Read back once is not enough: what the catalog has seen since counts, too."""
    digest = regions.push()
    reconcile()
    end_copies()
    arrive(regions.eu, digest)
    reconcile()
    gone = Placement.objects.filter(repository__registry=regions.eu).exclude(manifest__digest=digest).first()
    assert gone is not None
    Placement.objects.filter(pk=gone.pk).update(absent_since=timezone.now())
    answer = ask(digest, regions.eu)
    assert (answer.is_ready, answer.code) == (False, "partial")
    assert answer.missing == (gone.manifest.digest,)


def test_a_child_that_was_never_read_makes_it_partial(regions: Regions) -> None:
    digest = regions.push()
    reconcile()
    end_copies()
    arrive(regions.eu, digest)
    reconcile()
    ManifestEdge.objects.filter(position=0).update(child=None)
    assert ask(digest, regions.eu).code == "partial"


def test_what_was_in_prod_before_us_was_never_read_back(regions: Regions) -> None:
    digest = regions.push()
    arrive(regions.prod, digest)
    answer = ask(digest, regions.prod)
    assert (answer.is_ready, answer.code) == (False, "not_read_back")


def test_where_ci_pushes_the_catalog_is_what_we_know(regions: Regions) -> None:
    ci = make_registry("ci", ZoneKind.CI_SNAPSHOTS)
    digest = put_image(ci)
    record_placements(Repository.objects.get(registry=ci), [digest], at=timezone.now())
    answer = ask(digest, ci)
    assert (answer.is_ready, answer.code) == (True, "seen")


def test_one_good_tag_does_not_hide_another_that_failed(regions: Regions) -> None:
    digest = regions.push(tag="1.4.2")
    reconcile()
    end_copies()
    arrive(regions.eu, digest)
    reconcile()
    Delivery.objects.create(
        rule=regions.rule, repository=NAME, tag="1.4", digest=digest, state="failed", wanted_at=timezone.now()
    )
    assert ask(digest, regions.eu).code == "failed"


def test_the_page_of_regions_shows_what_drifted(regions: Regions) -> None:
    digest = regions.push(tag="1.4.2")
    reconcile()
    end_copies()
    arrive(regions.eu, digest)
    reconcile()
    found = regions_from(regions.prod)
    assert found.targets == ("prod-eu",)
    assert found.rows[0].is_whole
    put_image(regions.eu, version="6.6.6", tag="1.4.2")
    cell = regions_from(regions.prod).rows[0].cells["prod-eu"]
    assert cell.state == "drifted"
    assert "prod-eu shows" in cell.reason
