"""The steps in the admin: what one sees, what one may, what is said to bad input."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from portal.audit.models import AuditEvent
from portal.users.accounts import grant_role
from portal.users.models import Role, User
from registries.access.adopt import forms
from registries.access.adopt.models import Adoption, ImportedLogin, NameDecision, SeenRequest
from registries.access.counts.record_models import Denial
from registries.access.models import AccessRule, RobotAccount
from registries.topology.models import Reach, Registry
from tests.registries.access.adopt.old_users import htpasswd_of, make_login, make_old_registry
from tests.registries.access.adopt.test_log_lines import LOGS, NGINX
from tests.registries.access.cast import ADMIN, make_person, make_team

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def browser(client: Client) -> Client:
    user = make_person("ada")
    grant_role(ADMIN, user, Role.PLATFORM_ADMIN)
    client.force_login(user)
    return client


@pytest.fixture
def adoption() -> Adoption:
    return Adoption.objects.create(registry=make_old_registry())


def page(adoption: Adoption, name: str = "change") -> str:
    return f"/admin/access/adoption/{adoption.pk}/{name}/"


def text_of(browser: Client, adoption: Adoption) -> str:
    answer = browser.get(page(adoption))
    assert answer.status_code == 200
    return str(answer.content.decode())


def uploaded(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("file", data)


def import_form(**more: object) -> dict[str, object]:
    return {"team": make_team("payments").pk, "kind": "ci", "days": "90", "import": "yes", **more}


def read(browser: Client, adoption: Adoption, *lines: str) -> str:
    answer = browser.post(page(adoption, "log"), {"log": uploaded("".join(lines).encode())}, follow=True)
    return str(answer.content.decode())


def test_one_begins_by_choosing_a_registry(browser: Client) -> None:
    snapshots = make_old_registry()
    assert "A server of your own" in browser.get("/admin/access/adoption/add/").content.decode()
    answer = browser.post("/admin/access/adoption/add/", {"registry": snapshots.pk}, follow=True)
    text = answer.content.decode()
    assert "Nothing has changed at ci-snapshots yet" in text
    assert "1. Import the users" in text
    assert "No login is imported yet." in text
    assert f"manage.py adopt_registry {snapshots.name} read-log" in text
    assert AuditEvent.objects.filter(verb="adoption.created", actor_name="ada").exists()


def test_users_are_looked_at_then_imported(browser: Client, adoption: Adoption) -> None:
    data = htpasswd_of("payments-ci", EVIL) + b"old:$apr1$x$y\n"
    look = {name: value for name, value in import_form(look="yes", file=uploaded(data)).items() if name != "import"}
    text = browser.post(page(adoption, "users"), look).content.decode()
    assert "would be imported; nothing was changed" in text
    assert not ImportedLogin.objects.exists()
    text = browser.post(page(adoption, "users"), import_form(file=uploaded(data))).content.decode()
    assert "robot.payments-ci" in text
    assert "kept as MD5" in text
    assert EVIL not in text
    assert "&lt;script&gt;alert(1)" in text
    assert ImportedLogin.objects.count() == 2
    assert RobotAccount.objects.get(name="payments-ci").kind == "ci"
    assert "2 logins are imported and work after the cut-over." in text_of(browser, adoption)
    assert "$2y$" not in text_of(browser, adoption) + browser.get("/admin/access/importedlogin/").content.decode()


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({}, "Give the file or its lines"), ({"text": "a:b", "team": ""}, "Choose a team"), ({"text": "hello"}, "no htpasswd file"),
        ({"text": "a:b", "kind": "king"}, "king is not one of the available choices"),
        ({"text": "a:b", "days": "9999"}, "9999 is not one of the available choices"),
    ],
)  # fmt: skip
def test_a_bad_import_says_why(browser: Client, adoption: Adoption, more: dict[str, object], complaint: str) -> None:
    text = browser.post(page(adoption, "users"), import_form(**more), follow=True).content.decode()
    assert complaint in text
    assert not ImportedLogin.objects.exists()


def test_a_log_is_read_and_shown_escaped(browser: Client, adoption: Adoption) -> None:
    text = read(browser, adoption, NGINX.replace("mona", EVIL), NGINX.replace("mona", "ghost"), "junk \x1b[2J<b>\n")
    assert "2 requests in 3 lines" in text
    assert "1 lines were not understood" in text
    assert EVIL not in text
    assert "<b>" not in text.partition("not understood:")[2][:200]
    assert "\x1b" not in text
    assert "2 of the requests seen would be refused." in text
    assert "nobody in the portal has this name" in text


def test_a_log_that_is_too_large_or_no_log_is_refused_with_the_way_on(
    browser: Client, adoption: Adoption, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "No request to a repository was found" in read(browser, adoption, "hello\n")
    monkeypatch.setattr(forms, "MAX_LOG_BYTES", 10)
    assert "Read it where it lies" in read(browser, adoption, NGINX)
    assert not SeenRequest.objects.exists()


def test_the_report_filters_orders_and_exports(browser: Client, adoption: Adoption) -> None:
    make_login(adoption.registry, "payments-ci")
    read(
        browser,
        adoption,
        NGINX.replace("mona", "payments-ci"),
        NGINX.replace("mona", "=1+1"),
        NGINX.replace("mona", EVIL),
    )
    text = browser.get(page(adoption, "report")).content.decode()
    assert text.index("=1+1") < text.index("as robot.payments-ci")
    assert EVIL not in text
    assert "=1+1" not in browser.get(page(adoption, "report"), {"outlook": "goes on"}).content.decode()
    assert "Nothing like that was seen" in browser.get(page(adoption, "report"), {"q": "no-such"}).content.decode()
    for odd in (
        {"sort": "evil"},
        {"from": "99999999999"},
        {"from": "x"},
        {"outlook": "x"},
        {"sort": "last"},
        {"sort": "user"},
    ):
        assert browser.get(page(adoption, "report"), odd).status_code == 200
    exported = browser.get(page(adoption, "report"), {"format": "csv", "outlook": "refused"})
    assert exported["Content-Disposition"] == 'attachment; filename="ci-snapshots-report.csv"'
    rows = list(csv.DictReader(io.StringIO(exported.content.decode())))
    assert {row["user"] for row in rows} == {"'=1+1", EVIL}
    found = browser.get(page(adoption, "report"), {"format": "json"}).json()
    assert len(found["rows"]) == 3


def test_long_reports_come_in_pages(browser: Client, adoption: Adoption) -> None:
    SeenRequest.objects.bulk_create(
        SeenRequest(adoption=adoption, username=f"job-{n:03}", action="pull", repository="a", count=1)
        for n in range(150)
    )
    first = browser.get(page(adoption, "report"), {"sort": "user"}).content.decode()
    assert "1 to 100 of 150" in first
    assert "sort=user&amp;from=100" in first
    second = browser.get(page(adoption, "report"), {"sort": "user", "from": "100"}).content.decode()
    assert "101 to 150 of 150" in second
    assert "job-149" in second


def test_names_are_decided_and_undone(browser: Client, adoption: Adoption) -> None:
    alice = make_person("alice")
    read(browser, adoption, NGINX.replace("mona", "A.Lice"), NGINX.replace("mona", "ghost"))
    browser.post(page(adoption, "name"), {"username": "A.Lice", "person": alice.pk})
    browser.post(page(adoption, "name"), {"username": "ghost", "refuse": "yes"})
    text = text_of(browser, adoption)
    assert "A.Lice: is alice, said ada" in text
    assert "ghost: refused on purpose, said ada" in text
    assert "1 of the requests seen would be refused." in text
    browser.post(page(adoption, "name"), {"username": "ghost", "forget": "yes"})
    assert list(NameDecision.objects.values_list("username", flat=True)) == ["A.Lice"]
    answer = browser.post(page(adoption, "name"), {"username": "ghost"}, follow=True)
    assert "Say which person ghost is" in answer.content.decode()


def test_drafts_are_made_of_what_is_missing(browser: Client) -> None:
    prod = Adoption.objects.create(registry=make_old_registry("prod"))
    make_login(prod.registry, "mona", "consumer")
    assert "allow the team of robot.mona to pull <code>payments/api</code> (1 times)" in read(browser, prod, NGINX)
    text = browser.post(page(prod, "drafts"), follow=True).content.decode()
    assert "1 drafts were made; none is in force" in text
    assert AccessRule.objects.get().is_draft
    assert "Make drafts of them" not in text


def test_while_the_probe_fails_nothing_is_cut_over(browser: Client, adoption: Adoption) -> None:
    Registry.objects.update(base_url="http://127.0.0.1:9")
    text = browser.post(page(adoption, "probe"), follow=True).content.decode()
    assert "When last asked:" in text
    text = browser.post(page(adoption, "cutover"), follow=True).content.decode()
    assert "ci-snapshots is not cut over" in text
    assert Registry.objects.get().reach == Reach.OBSERVED
    adoption.refresh_from_db()
    assert adoption.probed_at is not None
    assert AuditEvent.objects.filter(verb="adoption.probed").count() == 2


def test_the_page_watches_and_goes_back(browser: Client, adoption: Adoption) -> None:
    now = timezone.now()
    for username, used in (("fresh", now), ("stale", None), ("gone", None)):
        login = make_login(adoption.registry, username)
        ImportedLogin.objects.filter(pk=login.pk).update(last_used_at=used)
    ImportedLogin.objects.filter(username="gone").update(expires_at=now - timedelta(days=1))
    Denial.objects.create(
        registry=adoption.registry, principal="robot.fresh", scope="repository:a:push", code="ci_only", reason=EVIL,
        first_at=now, last_at=now,
    )  # fmt: skip
    Adoption.objects.update(cut_over_at=now - timedelta(hours=1), reach_before=Reach.BROKERED)
    Registry.objects.update(reach=Reach.ENFORCED)
    text = text_of(browser, adoption)
    counted = text.partition("Imported logins: ")[2].partition(".")[0]
    assert sorted(counted.split(", ")) == ["1 ended", "1 in use", "1 not used"]
    assert "1 old passwords were used since; 1 things were refused." in text
    assert EVIL not in text
    text = browser.post(page(adoption, "back"), follow=True).content.decode()
    assert "decides by its own again" in text
    assert Registry.objects.get().reach == Reach.BROKERED
    assert ImportedLogin.objects.count() == 3
    assert AuditEvent.objects.filter(verb="adoption.went_back", actor_name="ada").exists()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SECURITY, Role.RELEASE_MANAGER])
def test_others_see_how_it_stands_and_take_no_step(client: Client, adoption: Adoption, role: Role) -> None:
    olga: User = make_person("olga")
    grant_role(ADMIN, olga, role)
    client.force_login(olga)
    for step in ("users", "log", "name", "drafts", "probe", "cutover", "back"):
        assert client.post(page(adoption, step)).status_code == 403
        assert client.get(page(adoption, step)).status_code in (403, 405)
    seen = client.get(page(adoption))
    assert (seen.status_code, client.get(page(adoption, "report")).status_code) == (200, 200)
    assert "The steps are taken by platform admins" in seen.content.decode()
    assert '<form method="post" action="/admin/access/adoption' not in seen.content.decode()
    assert client.get("/admin/access/adoption/add/").status_code == 403


def test_people_without_a_role_do_not_come_in(client: Client, adoption: Adoption) -> None:
    client.force_login(make_person("charlie"))
    for address in (page(adoption), page(adoption, "report"), page(adoption, "cutover")):
        assert client.get(address, follow=True).status_code == 403
        assert client.post(address, follow=True).status_code == 403
    assert Registry.objects.get().reach == Reach.OBSERVED


def test_security_can_end_an_old_password_and_only_admins_bring_it_back(client: Client, adoption: Adoption) -> None:
    login = make_login(adoption.registry, "payments-ci")
    sven = make_person("sven")
    grant_role(ADMIN, sven, Role.SECURITY)
    client.force_login(sven)
    chosen = {"_selected_action": [login.pk]}
    client.post("/admin/access/importedlogin/", {"action": "disable_selected", **chosen})
    login.refresh_from_db()
    assert login.disabled_at is not None
    client.post("/admin/access/importedlogin/", {"action": "enable_selected", **chosen})
    login.refresh_from_db()
    assert login.disabled_at is not None
    assert AuditEvent.objects.get(verb="importedlogin.disabled").actor_name == "sven"


def test_an_admin_lets_a_login_act_as_another_robot(browser: Client, adoption: Adoption) -> None:
    login = make_login(adoption.registry, "payments-ci")
    other = RobotAccount.objects.create(name="other", kind="consumer", team=make_team("payments"))
    form = {"robot": other.pk, "expires_at_0": "2027-05-01", "expires_at_1": "12:00"}
    assert browser.post(f"/admin/access/importedlogin/{login.pk}/change/", form).status_code == 302
    login.refresh_from_db()
    assert (login.robot, login.expires_at.year) == (other, 2027)
    assert AuditEvent.objects.filter(verb="importedlogin.changed", actor_name="ada").exists()


def test_the_page_takes_as_many_queries_for_many_rows_as_for_few(
    browser: Client, adoption: Adoption, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        make_login(adoption.registry, f"job-{number}")
        SeenRequest.objects.create(
            adoption=adoption, username=f"job-{number}", action="push", repository=f"r{number}", count=1
        )
        SeenRequest.objects.create(
            adoption=adoption, username=f"ghost-{number}", action="pull", repository="a", count=1
        )
    with django_assert_max_num_queries(45):
        text_of(browser, adoption)


def test_the_whole_log_of_a_real_registry_in_one_upload(browser: Client, adoption: Adoption) -> None:
    make_login(adoption.registry, "payments-ci")
    make_login(adoption.registry, "Shop.Reader", "consumer")
    text = read(browser, adoption, (LOGS / "distribution-3-json.log").read_text())
    assert "17 requests in 43 lines, told by its own words; 17 of them name who asked." in text
    assert "no rule lets robot.payments-ci delete" in text
