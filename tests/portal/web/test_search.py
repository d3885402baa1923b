"""One box finds names, tags, digests and promotions."""

from tests.portal.web.cast import Company
from tests.portal.web.conftest import SignIn


def test_a_whole_digest_leads_to_its_passport(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    digest = str(company.snapshot.manifest.digest)
    for text in (digest, digest.removeprefix("sha256:"), f"  {digest} "):
        answer = client.get("/search/", {"q": text})
        assert answer.status_code == 302
        assert answer["Location"] == f"/digests/{digest}/"


def test_the_beginning_of_a_digest_lists_what_fits(company: Company, signed_in: SignIn) -> None:
    digest = str(company.snapshot.manifest.digest)
    page = signed_in(company.alice).get("/search/", {"q": digest[7:17]}).content.decode()
    assert f"/digests/{digest}/" in page


def test_names_tags_and_both(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    assert "/r/ci-snapshots/payments/api/" in client.get("/search/", {"q": "ments/ap"}).content.decode()
    assert "/r/ci-snapshots/payments/api:1.4.0/" in client.get("/search/", {"q": "1.4.0"}).content.decode()
    both = client.get("/search/", {"q": "payments/api:1."}).content.decode()
    assert "/r/ci-snapshots/payments/api:1.4.0/" in both
    assert "/r/prod/payments/api:1.3.0/" in both


def test_tags_are_told_apart_by_case(company: Company, signed_in: SignIn) -> None:
    company.scratch.name = "RC1"
    company.scratch.save()
    client = signed_in(company.alice)
    assert "alice/try:RC1" in client.get("/search/", {"q": "alice/try:RC"}).content.decode()
    assert "alice/try:RC1" not in client.get("/search/", {"q": "alice/try:rc"}).content.decode()


def test_nothing_found_says_what_can_be_asked(company: Company, signed_in: SignIn) -> None:
    page = signed_in(company.alice).get("/search/", {"q": "zzz\x00%_<b>"}).content.decode()
    assert "Nothing that you may see fits" in page
    assert "<b>" not in page
