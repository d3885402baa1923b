"""The token endpoint, case by case: what is asked, what is answered, what is written down."""

import base64
import json
from urllib.parse import urlencode

import jwt
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from registries.access.counts.record_models import Denial, TokenCount
from registries.access.counts.tally import tally
from registries.access.credential.credentials import issue_personal_token, revoke_secret
from registries.access.models import AccessRule, PersonalToken, RobotAccount, Secret
from registries.topology.models import Registry
from tests.registries.access.cast import (
    Login,
    make_person,
    make_registry,
    make_zone,
)
from tests.registries.access.token_client import access, ask, basic, claims

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


def test_a_login_without_scope_gets_an_empty_token(client: Client, sandbox: Registry, alice: Login) -> None:
    answer = ask(client, sandbox, login=alice, account="alice", offline_token="true", client_id="docker")
    body = answer.json()
    assert answer.status_code == 200
    assert claims(answer, sandbox)["access"] == []
    assert claims(answer, sandbox)["sub"] == "alice"
    assert body["token"] == body["access_token"]
    assert body["expires_in"] == 300
    assert "refresh_token" not in body
    assert (answer["Cache-Control"], answer["Pragma"]) == ("no-store", "no-cache")


def test_claims_have_the_types_that_registries_insist_on(client: Client, sandbox: Registry, alice: Login) -> None:
    found = claims(ask(client, sandbox, login=alice), sandbox)
    assert isinstance(found["aud"], str)
    assert all(type(found[name]) is int for name in ("iat", "nbf", "exp"))
    now = timezone.now().timestamp()
    assert found["nbf"] <= now - 5
    assert 290 <= found["exp"] - now <= 301
    assert len(found["jti"]) >= 20


def test_what_is_allowed_is_granted_and_the_rest_is_said(
    client: Client, sandbox: Registry, prod: Registry, alice: Login
) -> None:
    assert access(ask(client, sandbox, "repository:alice/app:pull,push", login=alice), sandbox) == {
        "alice/app": ["pull", "push"]
    }
    answer = ask(client, prod, "repository:alice/app:pull,push", login=alice)
    assert answer.status_code == 200
    assert access(answer, prod) == {}
    assert "prod/alice/app: push: prod takes images only from the promotion pipeline" in answer.json()["denied"]


def test_refusals_are_found_at_once(
    client: Client, prod: Registry, alice: Login, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        ask(client, prod, "repository:alice/app:push", login=alice)
        ask(client, prod, "repository:alice/app:push", login=alice)
    denial = Denial.objects.get(principal="alice", code="pipeline_only")
    assert denial.scope == "repository:alice/app:push"
    assert denial.reason == "prod takes images only from the promotion pipeline"
    assert "alice at prod: denied: prod/alice/app: push: prod takes images only from" in caplog.text
    tally.flush()
    denial.refresh_from_db()
    assert denial.count == 2
    assert TokenCount.objects.get(outcome="narrowed", registry=prod).count == 2


@pytest.mark.parametrize("wrong", ["name", "secret", "handle", "garbage", "empty", "long", "password"])
def test_wrong_credentials_are_refused_alike(client: Client, sandbox: Registry, alice: Login, wrong: str) -> None:
    user = make_person("bob")
    user.set_password("correct horse battery")
    user.save()
    tried = {
        "name": Login("bob", alice.secret),
        "secret": Login("alice", alice.secret[:-1] + ("A" if alice.secret[-1] != "A" else "B")),
        "handle": Login("alice", "ptp_0000000000000000_" + "a" * 43),
        "garbage": Login("nobody", "\u00e4\u2603:::"),
        "empty": Login("alice", ""),
        "long": Login("alice", alice.secret + "x" * 10_000),
        "password": Login("bob", "correct horse battery"),
    }[wrong]
    known = ask(client, sandbox, "repository:a:pull", login=Login("alice", "no")).content
    answer = ask(client, sandbox, "repository:a:pull", login=tried)
    assert answer.status_code == 401
    assert answer.content == known
    assert answer["WWW-Authenticate"].startswith("Basic realm=")
    assert "personal token" in answer.json()["errors"][0]["message"]
    assert "token" not in answer.json()


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(), "Bearer x"])
def test_a_credential_that_cannot_be_read_is_wrong_and_not_absent(
    client: Client, sandbox: Registry, header: str
) -> None:
    url = f"/token?service={sandbox.service}&scope=repository:a:pull"
    assert client.get(url, headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize("end", ["revoked", "expired", "closed"])
def test_a_secret_that_has_ended_counts_no_more_from_the_next_request_on(
    client: Client, sandbox: Registry, alice: Login, end: str
) -> None:
    assert ask(client, sandbox, login=alice).status_code == 200
    stored = PersonalToken.objects.get()
    if end == "revoked":
        revoke_secret(stored.user.actor, stored)
    elif end == "expired":
        PersonalToken.objects.update(expires_at=timezone.now())
    else:
        stored.user.is_active = False
        stored.user.save()
    assert ask(client, sandbox, login=alice).status_code == 401


@pytest.mark.parametrize("end", ["revoked", "expired", "closed", "account expired"])
def test_so_does_a_robots(client: Client, sandbox: Registry, robbie: Login, end: str) -> None:
    assert ask(client, sandbox, login=robbie).status_code == 200
    stored = Secret.objects.get()
    if end == "revoked":
        revoke_secret(stored.robot.actor, stored)
    elif end == "expired":
        Secret.objects.update(expires_at=timezone.now())
    elif end == "closed":
        RobotAccount.objects.update(is_active=False)
    else:
        RobotAccount.objects.update(expires_at=timezone.now())
    assert ask(client, sandbox, login=robbie).status_code == 401


def test_strangers_get_what_is_public_and_no_login(client: Client, sandbox: Registry) -> None:
    assert ask(client, sandbox).status_code == 401
    empty = Login("", "")
    assert ask(client, sandbox, login=empty).status_code == 401
    archive = make_registry("archive")
    assert access(ask(client, archive, "repository:library/alpine:pull"), archive) == {}
    AccessRule.objects.create(zone=make_zone("archive"), pattern="library/**", is_public=True)
    for login in (None, empty):
        answer = ask(client, archive, "repository:library/alpine:pull,push", login=login)
        assert access(answer, archive) == {"library/alpine": ["pull"]}
        assert claims(answer, archive)["sub"] == ""


def test_an_unknown_service_gets_no_token(client: Client, alice: Login) -> None:
    for query in ("service=elsewhere", "service=", ""):
        answer = client.get(f"/token?{query}&scope=repository:a:pull", headers=basic(alice))
        assert answer.status_code == 400
        assert "token" not in answer.json()


def test_scopes_come_repeated_and_with_spaces(client: Client, sandbox: Registry, alice: Login) -> None:
    answer = ask(client, sandbox, "repository:a:pull repository:b:push,pull", "repository:a:push", "", login=alice)
    assert access(answer, sandbox) == {"a": ["pull", "push"], "b": ["pull", "push"]}


def test_one_bad_scope_does_not_void_the_others(client: Client, sandbox: Registry, alice: Login) -> None:
    bad = [
        "nonsense",
        "repository:only",
        "repository:Team/App:pull",
        "repository:host:5000/app:pull",
        "repository::pull",
    ]
    bad += [
        "REPOSITORY:a:pull",
        "registry:catalog:*",
        "repository:a b:pull",
        "artifact:a:pull",
        "repository:\u00e4:pull",
    ]
    answer = ask(client, sandbox, *bad, "repository(plugin):team/app:pull", "repository:x:fly", login=alice)
    assert access(answer, sandbox) == {"team/app": ["pull"]}
    assert claims(answer, sandbox)["access"][0]["type"] == "repository"
    said = " ".join(answer.json()["denied"])
    for words in ("nonsense", "Team/App", "host:5000/app", "sync", "fly"):
        assert words in said


def test_a_scope_cannot_write_lines_into_the_log(
    client: Client, sandbox: Registry, alice: Login, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        ask(client, sandbox, "repository:a\n2026 ERROR all is lost:pull", login=alice)
    assert not any("\n" in record.getMessage() for record in caplog.records)


def test_a_star_is_spelled_out(client: Client, sandbox: Registry, alice: Login) -> None:
    assert access(ask(client, sandbox, "repository:a:*", login=alice), sandbox) == {"a": ["pull", "push"]}


def test_names_that_differ_by_case_are_not_the_same(client: Client, robbie: Login) -> None:
    snapshots = make_registry("ci-snapshots")
    AccessRule.objects.create(effect="deny", zone=snapshots.zone, pattern="team/app", may_pull=True)
    answer = ask(client, snapshots, "repository:team/app:pull", "repository:team/app2:pull", login=robbie)
    assert access(answer, snapshots) == {"team/app2": ["pull"]}


@pytest.mark.parametrize("count", [100, 150, 1000])
def test_many_scopes_survive_and_the_token_fits_through_proxies(
    client: Client, sandbox: Registry, alice: Login, count: int
) -> None:
    scopes = [f"repository:team-with-a-name/application-number-{number}:pull,push" for number in range(count)]
    answer = ask(client, sandbox, *scopes, login=alice)
    assert answer.status_code == 200
    granted = access(answer, sandbox)
    assert "team-with-a-name/application-number-0" in granted
    assert len(granted) >= 40
    assert len(answer.json()["token"]) <= 7 * 1024
    assert len(answer.content) < 60 * 1024
    assert answer.json()["denied"]


def test_a_token_of_long_names_and_a_long_signature_fits_as_well_and_the_log_says_what_was_left_out(
    client: Client, alice: Login, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "registries.access.token_view")
    settings.PORTAL_TOKEN_ISSUER = f"{'i' * 240}.example"
    registry = make_registry("sandbox", service="s" * 255, token_algorithm="RS256")
    scopes = [f"repository:{'n' * 200}{number}:pull,push" for number in range(30)]
    answer = ask(client, registry, *scopes, login=alice)
    token = answer.json()["token"]
    granted = jwt.decode(token, options={"verify_signature": False})["access"]
    assert 6700 < len(token) <= 7 * 1024
    assert 10 < len(granted) < 30
    said = [record.getMessage() for record in caplog.records]
    assert sum("the token would be too large for the proxies on its way" in line for line in said) == 30 - len(granted)


def test_the_post_of_containerd(client: Client, sandbox: Registry, alice: Login) -> None:
    form = {"grant_type": "password", "username": "alice", "password": alice.secret, "client_id": "containerd-client"}
    form |= {"service": sandbox.service, "scope": "repository:a:pull repository:b:pull,delete"}
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    answer = Client(enforce_csrf_checks=True).post("/token", urlencode(form), content_type=kind)
    body = answer.json()
    assert answer.status_code == 200
    assert body["scope"] == "repository:a:pull repository:b:pull"
    assert body["expires_in"] == 300
    assert access(answer, sandbox) == {"a": ["pull"], "b": ["pull"]}
    wrong = client.post("/token", urlencode(form | {"password": "no"}), content_type=kind)
    assert wrong.status_code == 401


def test_a_refresh_token_sends_clients_on_to_get(client: Client, sandbox: Registry) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x", "service": sandbox.service}
    answer = client.post("/token", urlencode(form), content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["error"]) == (401, "unsupported_grant_type")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("", "application/x-www-form-urlencoded", 400),
        ("grant_type=client_credentials", "application/x-www-form-urlencoded", 400),
        ("grant_type=password", "application/x-www-form-urlencoded", 400),
        ("{}", "application/json", 400),
        (b"grant_type=password&username=\xff", "application/x-www-form-urlencoded", 400),
        ("a" * 70_000, "application/x-www-form-urlencoded", 413),
    ],
)
def test_bad_forms(client: Client, body: str | bytes, kind: str, status: int) -> None:
    answer = client.post("/token", body, content_type=kind)
    assert answer.status_code == status
    assert answer.json()["error_description"]


@pytest.mark.parametrize("method", ["head", "put", "delete", "patch"])
def test_other_methods(client: Client, method: str) -> None:
    assert getattr(client, method)("/token").status_code == 405


def test_no_cookie_no_redirect_no_session(client: Client, sandbox: Registry) -> None:
    client.force_login(make_person("carol"))
    assert ask(client, sandbox).status_code == 401
    answer = ask(client, sandbox, "repository:a:pull")
    assert access(answer, sandbox) == {}
    assert not answer.cookies


def test_a_warm_request_asks_the_database_twice(
    client: Client,
    sandbox: Registry,
    alice: Login,
    robbie: Login,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for login, limit in ((alice, 2), (robbie, 1), (None, 1)):
        ask(client, sandbox, "repository:a:pull", login=login)
        tally.flush()
        with django_assert_max_num_queries(limit):
            ask(client, sandbox, "repository:a:pull", login=login)


def test_last_use_is_noted_to_the_minute(client: Client, sandbox: Registry, alice: Login) -> None:
    ask(client, sandbox, login=alice)
    tally.flush()
    first = PersonalToken.objects.get().last_used_at
    assert first is not None
    ask(client, sandbox, login=alice)
    tally.flush()
    assert PersonalToken.objects.get().last_used_at == first


def test_no_secret_is_kept_or_logged(client: Client, sandbox: Registry, caplog: pytest.LogCaptureFixture) -> None:
    user = make_person("dave")
    with caplog.at_level("DEBUG"):
        stored, text = issue_personal_token(user.actor, user, "laptop", None)
        ask(client, sandbox, "repository:a:pull,delete", login=Login("dave", text))
        ask(client, sandbox, "repository:a:pull", login=Login("erin", text))
    assert text not in caplog.text
    assert text not in json.dumps(list(PersonalToken.objects.values()), default=str)
    assert text.split("_", 2)[2] not in caplog.text
    assert len(stored.secret_hash) == 64


def test_a_registry_without_a_key_is_an_error_and_not_an_empty_token(client: Client, alice: Login) -> None:
    registry = make_registry("hub", "upstream", reach="observed")
    answer = ask(client, registry, login=alice)
    assert answer.status_code == 503
    assert answer["Retry-After"]
