"""What has gone wrong in other token endpoints, tried on ours. By the items of section 6 of the reference on token authentication:

===  ==========================================================  ==========================================================
 1   a key or a foreign kid inside a token (CVE-2025-24976)      test_no_token_of_ours_carries_a_key; for what we verify
                                                                 tests/portal/api/test_oidc.py: a_key_that_the_token_brings
 2   derived key ids that collide                                test_keys.py: a_key_says_the_same_in_all_its_forms
 3   unbounded counts (CVE-2023-2253); the catalog handed out    test_the_catalog_is_for_nobody, test_token_wire.py, test_scope.py
 4   deleted is not revoked (CVE-2026-35172)                     test_namespaces.py: released_names_rest
 5   delete granted because "it is read-only" (CVE-2026-41888)   test_delete_is_never_part_of_something_else
 6   realms that harvest our credentials (CVE-2020-15157)        oci/test_auth.py, oci/test_origin.py
 7   mounts without a look at their source (pulp 1286)           test_the_source_of_a_mount_is_asked_whenever_it_is_named
 8   registries that look at no audience (zot)                   test_a_token_is_for_one_registry_by_key_and_by_audience
 9   special names in rules (CVE-2026-31801)                     test_no_name_is_special
11   private images pulled by strangers (CVE-2026-27771)         test_strangers_get_nothing_by_default
12   rights of a robot beyond its creator (Harbor)               test_policy.py: a_robot_never_does_more_than_its_team
13   names that are used again                                   test_namespaces.py
14   naive scopes, empty names, catalog as a repository          test_the_catalog_is_for_nobody, test_token_view.py: one_bad_scope
15   Team and team                                               test_names_that_differ_by_case_are_two_names
16   prefixes that match too much                                test_a_prefix_ends_at_a_slash
17   tricks with paths                                           test_tricks_with_paths_get_nothing
18   names of people and robots that collide                     test_nobody_is_called_like_a_robot_or_a_job
19   jti that can be guessed                                     test_no_two_tokens_have_one_id
20   algorithm confusion                                         tests/portal/api/test_oidc.py: other_ways_to_sign, a_huge_token
21   enumeration by time                                         test_every_no_takes_the_same_way
22   cost of hashes                                              test_no_slow_hash_is_ever_asked
23   brute force, spoofed addresses                              test_throttle.py
24   secrets in logs and reports                                 test_secrets_are_in_no_log_report_or_record
25   realm from the Host header                                  test_the_realm_is_ours_whatever_the_host
26   fails open without its database                             test_token_faults.py
27   over-granting (Harbor)                                      test_nothing_is_granted_that_was_not_asked
28   GET that makes things (Quay)                                test_asking_makes_nothing
===  ==========================================================  =========================================================="""

import hmac
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from django.apps import apps
from django.contrib.auth import hashers
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.views.debug import ExceptionReporter

from portal.audit.models import AuditEvent
from portal.users.models import User
from registries.access import recognise
from registries.access.counts.record_models import AccessUse
from registries.access.counts.tally import tally
from registries.access.models import AccessRule, Namespace
from registries.access.recognise import is_secret_of_ours
from registries.access.signing.keys import active_key
from registries.access.token_view import token_view
from registries.topology.models import Registry
from tests.registries.access.cast import (
    Login,
    make_person,
    make_registry,
    make_robot,
    make_team,
    person_login,
    robot_login,
)
from tests.registries.access.token_client import FORM, access, ask, basic, claims, post

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


def test_no_token_of_ours_carries_a_key(client: Client, sandbox: Registry, alice: Login) -> None:
    header = jwt.get_unverified_header(ask(client, sandbox, login=alice).json()["token"])
    assert set(header) == {"typ", "alg", "kid"}


@pytest.mark.parametrize(
    "scope", ["registry:catalog:*", "registry:catalog:pull", "repository:catalog:*", "repository::pull", "registry::*"]
)
def test_the_catalog_is_for_nobody(client: Client, alice: Login, robbie: Login, scope: str) -> None:
    """A list of all names of all teams; and a repository that happens to be called so is another thing."""
    archive = make_registry("archive")
    AccessRule.objects.create(pattern="**", is_public=True)
    for login in (alice, robbie, None):
        for entry in claims(ask(client, archive, scope, login=login), archive)["access"]:
            assert (entry["type"], entry["name"]) == ("repository", "catalog")
            assert "*" not in entry["actions"]
            assert scope == "repository:catalog:*"


def test_delete_is_never_part_of_something_else(client: Client, sandbox: Registry, alice: Login) -> None:
    """Whoever may push and pull everything still deletes nothing; a star does not smuggle it in."""
    for scope in ("repository:alice/app:*", "repository:alice/app:push,pull,delete"):
        assert access(ask(client, sandbox, scope, login=alice), sandbox) == {"alice/app": ["pull", "push"]}
    assert access(ask(client, sandbox, "repository:alice/app:delete", login=alice), sandbox) == {}


@pytest.mark.parametrize("form", ["repeated", "with spaces", "source first", "posted", "with a third"])
def test_the_source_of_a_mount_is_asked_whenever_it_is_named(client: Client, robbie: Login, form: str) -> None:
    ci = make_registry("ci-snapshots")
    AccessRule.objects.create(effect="deny", zone=ci.zone, pattern="secret/**", may_pull=True)
    target, source = "repository:payments/app:pull,push", "repository:secret/base:pull"
    answer = {
        "repeated": lambda: ask(client, ci, target, source, login=robbie),
        "with spaces": lambda: ask(client, ci, f"{target} {source}", login=robbie),
        "source first": lambda: ask(client, ci, source, target, login=robbie),
        "posted": lambda: post(client, ci, f"{target} {source}", login=robbie),
        "with a third": lambda: ask(
            client, ci, target, source, "repository:payments/x:pull", login=robbie, mount="sha256:0"
        ),
    }[form]()
    found = access(answer, ci)
    assert found["payments/app"] == ["pull", "push"]
    assert "secret/base" not in found


def test_a_source_that_may_be_read_is_granted_for_reading_alone(client: Client, robbie: Login) -> None:
    ci = make_registry("ci-snapshots")
    answer = ask(client, ci, "repository:payments/app:pull,push", "repository:shared/base:pull", login=robbie)
    assert access(answer, ci) == {"payments/app": ["pull", "push"], "shared/base": ["pull"]}


def test_a_token_is_for_one_registry_by_key_and_by_audience(
    client: Client, sandbox: Registry, prod: Registry, alice: Login
) -> None:
    token = ask(client, sandbox, "repository:alice/app:push", login=alice).json()["token"]
    ours, other = active_key(sandbox), active_key(prod)
    assert ours is not None
    assert other is not None
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, jwt.PyJWK(other.public_jwk), ["ES256"], audience=sandbox.service)
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, jwt.PyJWK(ours.public_jwk), ["ES256"], audience=prod.service)


@pytest.mark.parametrize(
    "name", ["latest", "library/latest", "admin", "catalog", "system/pipeline", "v2", "_catalog", "token"]
)
def test_no_name_is_special(client: Client, prod: Registry, alice: Login, robbie: Login, name: str) -> None:
    for login in (alice, robbie, None):
        assert access(ask(client, prod, f"repository:{name}:*", login=login), prod) == {}


@pytest.mark.parametrize("kind", ["sandbox", "ci-tests", "ci-snapshots", "prod", "archive", "upstream"])
def test_strangers_get_nothing_by_default(client: Client, kind: str) -> None:
    registry = make_registry(kind)
    answer = ask(client, registry, "repository:payments/api:pull,push,delete", "registry:catalog:*")
    assert answer.status_code == 200
    found = claims(answer, registry)
    assert (found["sub"], found["access"]) == ("", [])


def test_names_that_differ_by_case_are_two_names(client: Client, alice: Login) -> None:
    """As rules, as owners, as services and as user names; on both databases."""
    archive = make_registry("archive")
    AccessRule.objects.create(effect="deny", zone=archive.zone, pattern="Team/app", may_pull=True)
    assert access(ask(client, archive, "repository:team/app:pull", login=alice), archive) == {"team/app": ["pull"]}
    assert access(ask(client, archive, "repository:Team/app:pull", login=alice), archive) == {}
    upper = Registry(service=archive.service.upper())
    assert ask(client, upper, "repository:team/app:pull", login=alice).status_code == 400
    assert ask(client, archive, login=Login("Alice", alice.secret)).status_code == 401
    assert ask(client, archive, login=Login("alice", alice.secret.upper())).status_code == 401
    team = make_team("payments")
    Namespace.objects.create(zone=archive.zone, prefix="team", team=team)
    Namespace.objects.create(zone=archive.zone, prefix="Team", team=team)
    assert Namespace.objects.filter(prefix="team").count() == 1


@pytest.mark.parametrize("name", ["payments-b/api", "paymentsx", "payments.b/api", "payments_b/x", "x/payments/api"])
def test_a_prefix_ends_at_a_slash(client: Client, prod: Registry, alice: Login, name: str) -> None:
    AccessRule.objects.create(user=User.objects.get(username="alice"), zone=prod.zone, pattern="payments/**")
    answer = ask(client, prod, f"repository:{name}:pull", "repository:payments/api:pull", login=alice)
    assert access(answer, prod) == {"payments/api": ["pull"]}


@pytest.mark.parametrize(
    "name",
    ["../prod/app", "alice/../root", "alice//app", "/alice/app", "alice/app/",
     "alice/./app", "alice%2fapp", "alice\\app",
     "alice/app@sha256", "alice/app:1", "host:5000/app", "a b", "al\u0131ce/app", "\u212aelvin/app", "ALICE/app", "-a/b",
     "a--/b", "*", "**", "alice/*", "a" * 256],
)  # fmt: skip
def test_tricks_with_paths_get_nothing(client: Client, sandbox: Registry, alice: Login, name: str) -> None:
    AccessRule.objects.create(pattern="**", may_push=True)
    answer = ask(client, sandbox, f"repository:{name}:pull,push", login=alice)
    assert answer.status_code == 200
    assert access(answer, sandbox) == {}


@pytest.mark.parametrize(
    "name", ["robot.payments-ci", "robot.x", "system:pipeline", "Robot.x", "", "a:b", "anonymous x"]
)
def test_nobody_is_called_like_a_robot_or_a_job(name: str) -> None:
    with pytest.raises(ValidationError):
        User(username=name, email="x@example.com", password="!").full_clean()


def test_a_robot_and_a_person_of_one_name_have_two_subjects(client: Client, sandbox: Registry, alice: Login) -> None:
    ci = make_registry("ci-snapshots")
    twin = robot_login(make_robot("alice", make_team("payments")))
    assert claims(ask(client, ci, login=twin), ci)["sub"] == "robot.alice"
    assert ask(client, ci, login=Login("alice", twin.secret)).status_code == 401
    assert ask(client, ci, login=Login("robot.alice", alice.secret)).status_code == 401


def test_no_two_tokens_have_one_id(client: Client, sandbox: Registry, alice: Login) -> None:
    ids = {claims(ask(client, sandbox, login=alice), sandbox)["jti"] for _ in range(50)}
    assert len(ids) == 50
    assert all(len(each) >= 22 for each in ids)


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Counts hashes and constant-time comparisons of secrets."""
    counted = [0, 0]
    real_hash, real_compare = recognise.hash_of, hmac.compare_digest

    def hash_of(text: str) -> str:
        counted[0] += 1
        return real_hash(text)

    def compare(one: Any, other: Any) -> bool:
        counted[1] += 1
        return bool(real_compare(one, other))

    with monkeypatch.context() as patched:
        patched.setattr(recognise, "hash_of", hash_of)
        patched.setattr(hmac, "compare_digest", compare)
        yield counted


def test_every_no_takes_the_same_way(
    client: Client, sandbox: Registry, alice: Login, robbie: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown, wrong, inactive, revoked, a password: the same queries, one hash, one comparison, the same answer."""
    bob = make_person("bob")
    bob.set_password("correct horse battery")
    bob.save()
    gone = person_login(make_person("gone"))
    User.objects.filter(username="gone").update(is_active=False)
    tried = {
        "nobody": Login("nobody", "ptp_0000000000000000_" + "a" * 43),
        "no robot": Login("robot.nobody", "ptr_0000000000000000_" + "a" * 43),
        "wrong": Login("alice", f"{alice.secret[:-1]}{'A' if alice.secret[-1] != 'A' else 'B'}"),
        "wrong robot": Login("robot.payments-ci", f"{robbie.secret[:-1]}{'A' if robbie.secret[-1] != 'A' else 'B'}"),
        "inactive": gone,
        "of another": Login("bob", alice.secret),
        "a password": Login("bob", "correct horse battery"),
        "a long one": Login("alice", "x" * 5000),
        "nothing": Login("alice", ""),
    }
    ask(client, sandbox, login=Login("warm", "up"))
    seen = {}
    for name, login in tried.items():
        with watched(monkeypatch) as counted, CaptureQueriesContext(connection) as queries:
            answer = ask(client, sandbox, "repository:a:pull", login=login)
        shapes = [query["sql"].split("WHERE")[0][:40] for query in queries if "SAVEPOINT" not in query["sql"]]
        headers = sorted((key, value) for key, value in answer.items() if key != "X-Request-ID")
        seen[name] = (answer.status_code, answer.content, headers, len(shapes), tuple(counted))
    for word in ("nobody", "a password"):
        # Secrets of ours are known by their shape. What has another may be an old login, which takes one look more, for everybody.
        first = seen[word]
        assert first[4] == (1, 1)
        alike = {
            name
            for name, login in tried.items()
            if is_secret_of_ours(login.secret) == is_secret_of_ours(tried[word].secret)
        }
        assert {name for name in alike if seen[name] != first} == set()
    assert len({(status, body, tuple(headers)) for status, body, headers, _, _ in seen.values()}) == 1


def test_no_slow_hash_is_ever_asked(
    client: Client, sandbox: Registry, alice: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for a good login nor for a wrong one: a burst of jobs would stand still on it."""
    bob = make_person("bob")
    bob.set_password("correct horse battery")
    bob.save()

    def slow(*_: Any, **__: Any) -> bool:
        raise AssertionError("a password was hashed")

    monkeypatch.setattr(hashers, "check_password", slow)
    monkeypatch.setattr(hashers, "make_password", slow)
    monkeypatch.setattr(User, "check_password", slow)
    assert ask(client, sandbox, login=alice).status_code == 200
    assert ask(client, sandbox, login=Login("bob", "correct horse battery")).status_code == 401
    assert ask(client, sandbox, login=Login("nobody", "x")).status_code == 401


def test_secrets_are_in_no_log_report_or_record(
    client: Client, sandbox: Registry, prod: Registry, alice: Login, caplog: pytest.LogCaptureFixture
) -> None:
    secret, wrong = alice.secret.split("_", 2)[2], "w" * 43
    with caplog.at_level(logging.DEBUG):
        answers = [
            ask(client, sandbox, "repository:a:pull", login=alice),
            post(client, prod, "repository:a:push", login=alice),
            ask(client, sandbox, login=Login("alice", f"ptp_0000000000000000_{wrong}")),
            post(client, sandbox, login=Login("alice", wrong)),
            client.get("/token?service=x", headers=basic(alice)),
            client.post("/token", f"grant_type=refresh_token&refresh_token={wrong}", content_type=FORM),
        ]  # fmt: skip
    tally.flush()
    models: list[Any] = [AuditEvent, *apps.get_app_config("access").get_models()]
    kept = [json.dumps(list(model._default_manager.values()), default=str) for model in models]
    said = [caplog.text, *kept, *(answer.content.decode() for answer in answers)]
    tokens = [answer.json()["token"] for answer in answers if "token" in answer.json()]
    assert len(tokens) == 2
    for text in (secret, wrong):
        assert not [place[:80] for place in said if text in place]
    for token in tokens:
        assert token not in caplog.text
        assert not [place[:80] for place in kept if token in place]


def test_a_report_of_an_error_masks_what_was_posted(alice: Login, sandbox: Registry) -> None:
    """Should the view ever break, the report that Django writes says neither password nor header."""
    form = urlencode({"grant_type": "password", "username": "alice", "password": alice.secret, "service": "x"})
    request = RequestFactory().post("/token", form, content_type=FORM, headers=basic(alice))
    token_view(request)
    again: Any = RequestFactory().post("/token", form, content_type=FORM, headers=basic(alice))
    again.sensitive_post_parameters = request.sensitive_post_parameters  # type: ignore[attr-defined]
    assert again.POST["password"] == alice.secret
    text = ExceptionReporter(again, ValueError, ValueError("x"), None).get_traceback_text()
    assert "********" in text
    assert alice.secret not in text
    assert basic(alice)["Authorization"] not in text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8000@evil.example", "localhost"])
def test_the_realm_is_ours_whatever_the_host(client: Client, sandbox: Registry, host: str) -> None:
    answer = client.get(
        f"/token?service={sandbox.service}",
        headers={"Host": host, "X-Forwarded-Host": host, "Forwarded": f"host={host}"},
    )
    assert answer.status_code in (400, 401)
    if answer.status_code == 401:
        assert answer["WWW-Authenticate"] == 'Basic realm="http://127.0.0.1:8000/token"'
        assert "evil" not in answer.content.decode()


@pytest.mark.parametrize("asked", ["pull", "push", "pull,push", "push,pull", "delete,pull"])
def test_nothing_is_granted_that_was_not_asked(client: Client, sandbox: Registry, alice: Login, asked: str) -> None:
    """A pull token that leaks is a pull token."""
    answer = ask(client, sandbox, f"repository:alice/app:{asked}", "repository:alice/b:pull", login=alice)
    found = access(answer, sandbox)
    assert set(found) <= {"alice/app", "alice/b"}
    assert set(found["alice/app"]) == set(asked.split(",")) - {"delete"}
    assert found["alice/b"] == ["pull"]


def test_asking_makes_nothing(client: Client, sandbox: Registry, alice: Login, robbie: Login) -> None:
    """A token to push makes no repository, no owner, no rule: only what is counted is written."""
    ci, archive = make_registry("ci-snapshots"), make_registry("archive")
    counted = {"accessuse", "denial", "tokencount", "attemptcount"}
    models: list[Any] = [model for model in apps.get_models() if model._meta.model_name not in counted]
    before = {model: model._default_manager.count() for model in models}
    ask(client, sandbox, "repository:brand/new:pull,push", login=alice)
    ask(client, ci, "repository:brand/new:pull,push", login=robbie)
    ask(client, archive, "repository:brand/new:push")
    tally.flush()
    assert {model._meta.label_lower for model in models if model._default_manager.count() != before[model]} == set()
    assert AccessUse.objects.filter(repository="brand/new").count() == 3
