"""Who sees the contents of which registry: what one may pull, what one's teams own, everything with a role."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from portal.users.models import User
from promotions.workflow.models import PromotionRequest
from promotions.workflow.requests import create_request
from registries.catalog.queries import repositories_seen_by
from registries.oci.digest import Digest
from registries.topology.models import Zone
from tests.portal.web.cast import Company, registry, repository, tagged
from tests.portal.web.conftest import SignIn


def seen(user: User) -> set[str]:
    return {str(row) for row in repositories_seen_by(user).select_related("registry")}


OPEN = {"ci-snapshots/payments/api", "sandbox/alice/try"}


def test_people_see_what_is_open_to_everyone_and_what_their_team_owns(company: Company) -> None:
    assert seen(company.charlie) == OPEN
    assert seen(company.alice) == OPEN | {"prod/payments/api"}
    assert "prod/finance/ledger" in seen(company.rita)


def test_a_namespace_is_not_its_neighbour(company: Company) -> None:
    for name in ("payments-b/api", "Payments/api", "payments"):
        repository(company.prod, name)
    assert seen(company.alice) == OPEN | {"prod/payments/api", "prod/payments"}


def test_a_rule_opens_what_its_pattern_says(company: Company) -> None:
    repository(company.prod, "finance/ledger/deep")
    company.allow(company.charlie, company.prod, "finance/*")
    assert seen(company.charlie) == OPEN | {"prod/finance/ledger"}


def test_a_denial_wins(company: Company) -> None:
    company.allow(company.alice, company.prod, "payments/**", effect="deny")
    assert seen(company.alice) == OPEN


def test_a_rule_counts_only_in_its_time(company: Company) -> None:
    now = timezone.now()
    company.allow(company.charlie, company.prod, "**", starts_at=now + timedelta(days=1))
    company.allow(company.charlie, company.prod, "**", ends_at=now - timedelta(days=1))
    assert seen(company.charlie) == OPEN


def test_a_cache_shows_what_the_registry_behind_it_would(company: Company) -> None:
    caches = Zone.objects.create(name="caches", kind="cache")
    cache = registry("cache-eu", caches, fronts=company.prod)
    for name in ("payments/api", "finance/ledger"):
        repository(cache, name)
    assert seen(company.charlie) == OPEN
    assert seen(company.alice) == OPEN | {"prod/payments/api", "cache-eu/payments/api"}


def test_what_may_not_be_seen_looks_as_if_it_were_not_there(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.charlie)
    hidden = client.get("/r/prod/finance/ledger/")
    absent = client.get("/r/prod/finance/nothing/")
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert client.get("/r/prod/finance/ledger:7.0.0/").status_code == 404
    assert client.get(f"/digests/{company.ledger.manifest.digest}/").status_code == 404
    assert "finance" not in client.get("/search/?q=ledger").content.decode()
    assert "finance" not in client.get("/fragments/moves/").content.decode()
    assert "finance" not in client.get("/registries/prod/").content.decode()


def test_a_digest_that_is_seen_in_one_place_shows_no_other(company: Company, signed_in: SignIn) -> None:
    content = f"{company.ledger.repository.name}:7.0.0"
    tagged(repository(company.sandbox, "charlie/copy"), "x", content)
    page = signed_in(company.charlie).get(f"/digests/{company.ledger.manifest.digest}/").content.decode()
    assert "charlie/copy" in page
    assert "finance/ledger" not in page


def test_trouble_is_told_to_those_who_may_know_of_what_is_in_trouble(company: Company, signed_in: SignIn) -> None:
    """Names of images are not for everybody: not on the first page, and not in the passport of a digest."""
    company.deliver("failed", "prod-eu does not answer.")
    company.allow(company.alice, company.prod, "payments/**")
    request = create_request(
        company.rita.actor,
        path=company.path,
        source_repository="payments/api",
        digest=Digest.parse(company.snapshot.manifest.digest),
        source_tag="",
        target_tags=["1.4.0"],
        on_behalf_of=company.rita,
        on_behalf_source="session",
    )
    PromotionRequest.objects.update(state="failed", reason_text="prod did not answer.")
    company.allow(company.charlie, company.snapshots, "payments/**", effect="deny")
    pages = {name: signed_in(getattr(company, name)).get("/").content.decode() for name in ("alice", "charlie")}
    for told in ("payments/api:1.3.0 has not reached prod-eu", request.public_id):
        assert told in pages["alice"]
        assert told not in pages["charlie"]


def test_a_passport_names_no_promotion_that_its_reader_may_not_see(company: Company, signed_in: SignIn) -> None:
    """Anybody may push what they pulled to a sandbox; that opens the digest, and nothing that others did with it."""
    digest = Digest.parse(company.snapshot.manifest.digest)
    asked: dict[str, Any] = {
        "source_tag": "",
        "target_tags": ["1.4.0"],
        "on_behalf_of": company.rita,
        "on_behalf_source": "session",
    }
    request = create_request(
        company.rita.actor, path=company.path, source_repository="payments/api", digest=digest, **asked
    )
    company.allow(company.charlie, company.snapshots, "payments/**", effect="deny")
    tagged(repository(company.sandbox, "charlie/copy"), "1", "payments/api:1.4.0")
    page = signed_in(company.charlie).get(f"/digests/{digest}/")
    assert page.status_code == 200
    link = f"/promotions/{request.public_id}/"
    assert link not in page.content.decode()
    assert link in signed_in(company.alice).get(f"/digests/{digest}/").content.decode()
