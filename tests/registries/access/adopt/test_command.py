"""``manage.py adopt_registry``: each verb, its exit status, and what is said to bad questions."""

import csv
import gzip
import io
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registries.access.adopt.models import Adoption, ImportedLogin, SeenRequest
from registries.access.models import AccessRule
from registries.topology.models import Reach, Registry
from tests.registries.access.adopt.old_users import htpasswd_of, make_login, make_old_registry
from tests.registries.access.adopt.test_log_lines import LOGS, NGINX
from tests.registries.access.cast import make_registry, make_robot, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def snapshots() -> Registry:
    return make_old_registry(base_url="http://127.0.0.1:9")


def adopt(*words: str) -> tuple[int, str]:
    """Exit status and what was said."""
    out = io.StringIO()
    try:
        call_command("adopt_registry", *words, stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    except SystemExit as error:
        return int(str(error.code)), out.getvalue()
    return 0, out.getvalue()


def file_of(folder: Path, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


def test_users_are_imported_after_a_look(snapshots: Registry, tmp_path: Path) -> None:
    make_team("payments")
    file = file_of(tmp_path, "htpasswd", htpasswd_of("payments-ci") + b"old:$apr1$x$y\n")
    code, said = adopt("ci-snapshots", "import-users", file, "--team", "payments", "--kind", "ci", "--dry-run")
    assert (code, "1 logins would be imported." in said) == (0, True)
    assert not ImportedLogin.objects.exists()
    code, said = adopt("ci-snapshots", "import-users", file, "--team", "payments", "--kind", "ci", "--days", "30")
    assert (code, "imported  payments-ci as robot.payments-ci" in said) == (0, True)
    assert "left      line 2: old: its password is kept as MD5" in said
    login = ImportedLogin.objects.get()
    assert (login.robot.kind, (login.expires_at - login.created_at).days) == ("ci", 29)


def test_one_robot_for_all(snapshots: Registry, tmp_path: Path) -> None:
    robbie = make_robot("robbie", make_team("payments"))
    assert (
        adopt("ci-snapshots", "import-users", file_of(tmp_path, "h", htpasswd_of("a", "b")), "--robot", "robot.robbie")[
            0
        ]
        == 0
    )
    assert ImportedLogin.objects.filter(robot=robbie).count() == 2


def test_a_log_is_read_from_files_and_from_a_pipe(
    snapshots: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = file_of(tmp_path, "log.1.gz", gzip.compress((LOGS / "distribution-3-text.log").read_bytes()))
    newer = file_of(tmp_path, "log", NGINX.encode())
    code, said = adopt("ci-snapshots", "read-log", older, newer)
    assert (code, "17 requests in 44 lines, told by its own words; 17 of them name who asked." in said) == (0, True), (
        said
    )
    assert "Wrong passwords were shown for: mona" in said
    piped = io.TextIOWrapper(io.BufferedReader(io.BytesIO(NGINX.encode())))
    monkeypatch.setattr(sys, "stdin", piped)
    code, said = adopt("ci-snapshots", "read-log", "-")
    assert (code, "1 requests in 1 lines, told by an access log" in said) == (0, True), said
    assert SeenRequest.objects.get().username == "mona"


def test_a_log_of_28_says_that_it_does_not_name_everybody(snapshots: Registry) -> None:
    said = adopt("ci-snapshots", "read-log", str(LOGS / "distribution-2.8-text.log"))[1]
    assert "names users of successful requests at level debug alone" in said


def test_what_is_no_log_changes_nothing(snapshots: Registry, tmp_path: Path) -> None:
    adopt("ci-snapshots", "read-log", file_of(tmp_path, "log", NGINX.encode()))
    code, said = adopt("ci-snapshots", "read-log", file_of(tmp_path, "junk", b"\x1b[2Jjunk\n\x00\xff\n"))
    assert (code, "2 of them were not understood" in said, "\x1b" in said) == (1, True, False)
    assert SeenRequest.objects.count() == 1


def test_the_report_says_who_would_be_refused_and_ends_with_1(snapshots: Registry, tmp_path: Path) -> None:
    make_login(snapshots, "payments-ci", "ci")
    log = file_of(
        tmp_path,
        "log",
        "".join(NGINX.replace("mona", who) for who in ("payments-ci", "ghost", "=cmd|'/C calc'!A0")).encode(),
    )
    adopt("ci-snapshots", "read-log", log)
    code, said = adopt("ci-snapshots", "report")
    assert code == 1
    assert "refused: ghost pull payments/api, 1 times" in said
    assert "what to do: Import it from the htpasswd file" in said
    assert "Of 3 requests seen, 1 would go on, 2 would be refused, 0 cannot be told." in said
    assert "payments-ci" in adopt("ci-snapshots", "report", "--all")[1]
    rows = list(csv.DictReader(io.StringIO(adopt("ci-snapshots", "report", "--format", "csv")[1])))
    assert {row["user"]: row["outlook"] for row in rows} == {"ghost": "refused", "'=cmd|'/C calc'!A0": "refused"}


def test_with_nobody_refused_the_report_ends_with_0(snapshots: Registry, tmp_path: Path) -> None:
    make_login(snapshots, "mona", "ci")
    adopt("ci-snapshots", "read-log", file_of(tmp_path, "log", NGINX.encode()))
    assert adopt("ci-snapshots", "report")[0] == 0


def test_drafts_are_made_and_not_put_in_force(tmp_path: Path) -> None:
    prod = make_old_registry("prod")
    make_login(prod, "mona", "consumer")
    adopt("prod", "read-log", file_of(tmp_path, "log", NGINX.encode()))
    code, said = adopt("prod", "drafts")
    assert (code, "allow payments pull on prod: payments/api" in said) == (0, True), said
    assert AccessRule.objects.get().is_draft


def test_while_the_registry_is_down_it_is_not_cut_over_and_one_can_go_back(snapshots: Registry) -> None:
    assert adopt("ci-snapshots", "probe")[0] == 1
    code, said = adopt("ci-snapshots", "cut-over")
    assert (code, "is not cut over" in said) == (1, True)
    assert Adoption.objects.get().cut_over_at is None
    code, said = adopt("ci-snapshots", "back")
    assert (code, "ci-snapshots is observed again" in said) == (0, True)
    assert Registry.objects.get().reach == Reach.OBSERVED


def test_a_cache_of_prod_cannot_go_back_to_letting_everybody_in() -> None:
    prod = make_registry("prod")
    make_registry("cache-eu", "cache", fronts=prod)
    code, said = adopt("cache-eu", "back")
    assert (code, "would let everybody pull" in said) == (1, True)
    assert Registry.objects.get(name="cache-eu").reach == Reach.ENFORCED


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("nowhere report", "There are: ci-snapshots"), ("ci-snapshots import-users {file}", "which team"),
        ("ci-snapshots import-users {file} --team nobody", "no team named nobody"),
        ("ci-snapshots import-users {file} --robot nobody", "no robot account named nobody"),
        ("ci-snapshots import-users {file} --team payments --days 0", "at least one"),
        ("ci-snapshots import-users {junk} --team payments", "no htpasswd file"),
        ("ci-snapshots import-users {gone} --team payments", "cannot be read"),
        ("ci-snapshots read-log {gone}", "cannot be read"),
    ],
)  # fmt: skip
def test_bad_questions_end_with_2_and_a_sentence(
    snapshots: Registry, tmp_path: Path, words: str, complaint: str
) -> None:
    make_team("payments")
    places = {
        "{file}": file_of(tmp_path, "htpasswd", htpasswd_of("a")), "{junk}": file_of(tmp_path, "junk", b"hello\n"),
        "{gone}": str(tmp_path / "gone"),
    }  # fmt: skip
    code, said = adopt(*[places.get(word, word) for word in words.split()])
    assert (code, complaint in said) == (2, True), said
    assert not ImportedLogin.objects.exists()
