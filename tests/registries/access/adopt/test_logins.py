"""Old user names and passwords at the token endpoint: what goes on, what does not, what it costs."""

import statistics
import time
from contextlib import ExitStack
from datetime import timedelta
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import bcrypt
import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registries.access.adopt import logins
from registries.access.adopt.decide import disable_login, enable_login
from registries.access.adopt.htpasswd import read_htpasswd
from registries.access.adopt.import_users import Wish, import_users
from registries.access.adopt.models import ImportedLogin
from registries.access.counts.record_models import AccessUse, Denial
from registries.access.counts.tally import tally
from registries.access.keyless.federation_models import AttemptCount
from registries.access.models import AccessRule, RobotAccount
from registries.access.throttle import PER_ACCOUNT
from registries.topology.models import Registry
from tests.registries.access.adopt.old_users import PASSWORD, htpasswd_of, make_login, make_old_registry, old_login
from tests.registries.access.cast import ADMIN, Login, make_registry, make_robot, make_team, robot_login
from tests.registries.access.token_client import access, ask, claims

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def snapshots() -> Registry:
    return make_old_registry()


@pytest.fixture
def login(snapshots: Registry) -> ImportedLogin:
    return make_login(snapshots)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The hashes that bcrypt was really asked about; it answers all the same."""
    asked: list[bytes] = []
    real = bcrypt.checkpw

    def counted(password: bytes, stored: bytes) -> bool:
        asked.append(stored)
        return real(password, stored)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    return asked


def test_a_stored_password_goes_on_working_and_acts_as_the_robot(
    client: Client, snapshots: Registry, login: ImportedLogin
) -> None:
    answer = ask(client, snapshots, "repository:payments/api:pull,push", login=old_login())
    assert access(answer, snapshots) == {"payments/api": ["pull", "push"]}
    assert claims(answer, snapshots)["sub"] == "robot.payments-ci"
    tally.flush()
    login.refresh_from_db()
    assert login.last_used_at is not None
    assert AccessUse.objects.get().principal == "robot.payments-ci"


def test_it_works_in_a_form_as_well(client: Client, snapshots: Registry, login: ImportedLogin) -> None:
    form = {"grant_type": "password", "username": "payments-ci", "password": PASSWORD, "service": snapshots.service}
    body = urlencode({**form, "scope": "repository:payments/api:pull"})
    answer = client.post("/token", body, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["scope"]) == (200, "repository:payments/api:pull")


def test_it_is_good_at_its_own_registry_alone(client: Client, login: ImportedLogin) -> None:
    elsewhere = make_registry("ci-tests")
    assert ask(client, elsewhere, "repository:payments/api:pull", login=old_login()).status_code == 401


def test_prod_takes_images_only_from_the_pipeline_whoever_could_push_before(client: Client) -> None:
    prod = make_old_registry("prod")
    make_login(prod)
    AccessRule.objects.create(team=make_team("payments"), registry=prod, may_push=True)
    answer = ask(client, prod, "repository:payments/api:pull,push", login=old_login())
    assert access(answer, prod) == {"payments/api": ["pull"]}
    assert Denial.objects.get(registry=prod).code == "pipeline_only"


def test_a_zone_for_keyless_ci_takes_no_stored_password(
    client: Client, snapshots: Registry, login: ImportedLogin
) -> None:
    snapshots.zone.requires_keyless = True
    snapshots.zone.save()
    assert "payments/api" in access(
        ask(client, snapshots, "repository:payments/api:pull", login=old_login()), snapshots
    )
    answer = ask(client, snapshots, "repository:payments/api:push", login=old_login())
    assert "only from keyless CI" in answer.json()["denied"][0]


@pytest.mark.parametrize("wrong", ["name", "case", "password", "empty", "long", "nul"])
def test_what_is_wrong_is_refused_alike(client: Client, snapshots: Registry, login: ImportedLogin, wrong: str) -> None:
    tried = {
        "name": old_login("payments-cd"), "case": old_login("Payments-CI"), "password": old_login(password=PASSWORD + "x"),
        "empty": old_login(password=""), "long": old_login(password="x" * 100_000), "nul": old_login(password=PASSWORD + "\0x"),
    }[wrong]  # fmt: skip
    answer = ask(client, snapshots, "repository:a:pull", login=tried)
    assert answer.status_code == 401
    assert (
        answer.content == ask(client, make_registry("sandbox"), "repository:a:pull", login=Login("alice", "no")).content
    )


@pytest.mark.parametrize("end", ["disabled", "ended", "robot", "robot_expired"])
def test_an_end_counts_at_the_next_request_whatever_is_remembered(
    client: Client, snapshots: Registry, login: ImportedLogin, end: str
) -> None:
    assert ask(client, snapshots, login=old_login()).status_code == 200
    past = timezone.now() - timedelta(seconds=1)
    if end == "disabled":
        assert disable_login(ADMIN, login)
        assert not disable_login(ADMIN, login)
    elif end == "ended":
        ImportedLogin.objects.update(expires_at=past)
    elif end == "robot":
        RobotAccount.objects.update(is_active=False)
    else:
        RobotAccount.objects.update(expires_at=past)
    assert ask(client, snapshots, login=old_login()).status_code == 401
    if end == "disabled":
        assert enable_login(ADMIN, login)
        assert ask(client, snapshots, login=old_login()).status_code == 200


def test_another_password_in_the_file_counts_at_the_next_request(
    client: Client, snapshots: Registry, login: ImportedLogin
) -> None:
    assert ask(client, snapshots, login=old_login()).status_code == 200
    wish = Wish(timezone.now() + timedelta(days=9), make_team("payments"))
    import_users(ADMIN, snapshots, read_htpasswd(htpasswd_of("payments-ci", password="new")), wish)
    assert ask(client, snapshots, login=old_login()).status_code == 401
    assert ask(client, snapshots, login=old_login(password="new")).status_code == 200


def test_what_bcrypt_does_not_look_at_is_not_looked_at_here_either(client: Client, snapshots: Registry) -> None:
    """A registry takes whatever follows the 72nd byte; a job that sends more today goes on."""
    make_login(snapshots, password="ä" * 36)
    assert ask(client, snapshots, login=old_login(password="ä" * 36 + "tail")).status_code == 200
    assert ask(client, snapshots, login=old_login(password="ä" * 35 + "x")).status_code == 401


def test_a_push_asks_often_and_is_checked_once(
    client: Client, snapshots: Registry, login: ImportedLogin, checks: list[bytes]
) -> None:
    for _ in range(5):
        assert ask(client, snapshots, login=old_login()).status_code == 200
    assert len(checks) == 1


def test_the_same_wrong_password_is_checked_once_in_a_minute(
    client: Client, snapshots: Registry, login: ImportedLogin, checks: list[bytes]
) -> None:
    for _ in range(5):
        assert ask(client, snapshots, login=old_login(password="forgotten")).status_code == 401
    assert len(checks) == 1


def test_guesses_are_slowed_down_before_they_cost_anything(
    client: Client, snapshots: Registry, login: ImportedLogin, checks: list[bytes]
) -> None:
    assert ask(client, snapshots, login=old_login()).status_code == 200
    codes = [ask(client, snapshots, login=old_login(password=f"guess {n}")).status_code for n in range(40)]
    assert codes[:PER_ACCOUNT] == [401] * PER_ACCOUNT
    assert set(codes[PER_ACCOUNT:]) == {429}
    assert len(checks) == 1 + PER_ACCOUNT
    # Who is remembered as right is taken, whatever others have guessed.
    assert ask(client, snapshots, login=old_login()).status_code == 200
    # Who is not has to wait: looking at the password at all would cost what guesses cost.
    logins.forget_checked()
    slowed = ask(client, snapshots, login=old_login())
    assert (slowed.status_code, int(slowed["Retry-After"]) > 0) == (429, True)
    AttemptCount.objects.all().delete()
    assert ask(client, snapshots, login=old_login()).status_code == 200


def test_who_gets_no_turn_is_told_to_try_again(
    client: Client, snapshots: Registry, login: ImportedLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "WAIT_SECONDS", 0.05)
    with ExitStack() as taken:
        for _ in range(logins.AT_ONCE):
            taken.enter_context(logins._checks)
        answer = ask(client, snapshots, login=old_login())
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert ask(client, snapshots, login=old_login()).status_code == 200


def test_names_that_nobody_has_are_slowed_down_too(
    client: Client, snapshots: Registry, login: ImportedLogin, checks: list[bytes]
) -> None:
    for number in range(PER_ACCOUNT + 5):
        ask(client, snapshots, login=old_login("nobody", f"guess {number}"))
    assert len(checks) == PER_ACCOUNT


def test_where_nothing_was_imported_nothing_is_checked(client: Client, checks: list[bytes]) -> None:
    sandbox = make_registry("sandbox")
    assert ask(client, sandbox, login=old_login()).status_code == 401
    assert checks == []


def test_where_all_has_ended_nothing_is_checked(
    client: Client, snapshots: Registry, login: ImportedLogin, checks: list[bytes]
) -> None:
    ImportedLogin.objects.update(expires_at=timezone.now())
    assert ask(client, snapshots, login=old_login()).status_code == 401
    assert checks == []


def test_our_own_secrets_cost_no_query_more(
    client: Client, snapshots: Registry, login: ImportedLogin, checks: list[bytes]
) -> None:
    robbie = robot_login(make_robot("robbie", make_team("payments")))
    ask(client, snapshots, "repository:a:pull", login=robbie)
    with CaptureQueriesContext(connection) as queries:
        assert ask(client, snapshots, "repository:a:pull", login=robbie).status_code == 200
    assert len(queries) == 1
    wrong = Login(robbie.username, robbie.secret[:-1] + ("A" if robbie.secret[-1] != "A" else "B"))
    with CaptureQueriesContext(connection) as queries:
        assert ask(client, snapshots, "repository:a:pull", login=wrong).status_code == 401
    assert not any("importedlogin" in query["sql"] for query in queries)
    assert checks == []


def test_a_remembered_login_takes_two_queries(client: Client, snapshots: Registry, login: ImportedLogin) -> None:
    ask(client, snapshots, login=old_login())
    with CaptureQueriesContext(connection) as queries:
        assert ask(client, snapshots, login=old_login()).status_code == 200
    assert len(queries) == 2


def work(checks: list[bytes]) -> int:
    """What bcrypt had to do: two to the power of each cost."""
    return sum(2 ** int(stored[4:6]) for stored in checks)


def test_known_and_unknown_names_cost_the_same_work_whatever_each_hash_costs(
    client: Client, snapshots: Registry, login: ImportedLogin, checks: list[bytes]
) -> None:
    make_login(snapshots, "dear", cost=8)
    make_login(snapshots, "gone", cost=6)
    disable_login(ADMIN, ImportedLogin.objects.get(username="gone"))
    done = {}
    for username in ("payments-ci", "dear", "gone", "nobody"):
        checks.clear()
        assert ask(client, snapshots, login=old_login(username, "wrong")).status_code == 401
        done[username] = work(checks)
    assert set(done.values()) == {2**8}, done


def test_known_and_unknown_names_take_the_same_time(client: Client, snapshots: Registry, login: ImportedLogin) -> None:
    make_login(snapshots, "dear", cost=9)
    times: dict[str, list[float]] = {"payments-ci": [], "nobody": []}
    for number in range(7):
        for username, taken in times.items():
            AttemptCount.objects.all().delete()
            started = time.perf_counter()
            ask(client, snapshots, login=old_login(username, f"wrong {number}"))
            taken.append(time.perf_counter() - started)
    known, unknown = statistics.median(times["payments-ci"]), statistics.median(times["nobody"])
    assert 0.6 < known / unknown < 1.7, times


def test_nothing_of_a_password_is_kept_in_plain(snapshots: Registry, login: ImportedLogin) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT password_hash FROM access_importedlogin")
        stored = cursor.fetchone()[0]
    assert "$2y$" not in stored
    assert login.password_hash.startswith("$2y$04$")
    assert PASSWORD.encode() not in b"".join(logins._memory._known)


def test_without_the_key_of_encryption_it_answers_503(
    client: Client, snapshots: Registry, login: ImportedLogin, settings: Any
) -> None:
    settings.PORTAL_ENCRYPTION_KEYS = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
    logins._encrypted_dummy.cache_clear()
    answer = ask(client, snapshots, login=old_login())
    logins._encrypted_dummy.cache_clear()
    assert answer.status_code == 503


def test_a_password_is_checked_for_the_very_registry_and_name(
    client: Client, snapshots: Registry, login: ImportedLogin
) -> None:
    other = make_old_registry("ci-tests")
    make_login(other, "payments-cd", password="another")
    assert ask(client, snapshots, login=old_login()).status_code == 200
    assert ask(client, other, login=old_login()).status_code == 401
    assert ask(client, other, login=old_login("payments-cd")).status_code == 401
    assert ask(client, other, login=old_login("payments-cd", "another")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_twenty_jobs_at_once_with_one_login_cost_one_check(
    snapshots: Registry, login: ImportedLogin, checks: list[bytes]
) -> None:
    codes: list[int] = []

    def job() -> None:
        try:
            codes.append(ask(Client(), snapshots, login=old_login()).status_code)
        finally:
            connections.close_all()

    threads = [Thread(target=job) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 20
    assert len(checks) <= logins.AT_ONCE
