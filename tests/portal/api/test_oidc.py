"""Keyless CI: a job proves itself to a real issuer on loopback, gets a quarter of an hour, and carries its person along."""

import base64
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from portal.audit.models import AuditEvent
from promotions.workflow.models import PromotionRequest
from registries.access.keyless import federation, identity_token
from registries.access.keyless.federation_models import AttemptCount, Exchange, FederationRule, Issuer, UsedToken
from registries.access.models import RobotAccount, Secret
from tests.fakes.issuer import FakeIssuer, fake_issuer, new_key
from tests.portal.api.office import Answer, Door, Office

ROBOT = "robot.payments-ci"


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    with fake_issuer() as running:
        yield running


@pytest.fixture
def rule(office: Office, issuer: FakeIssuer) -> FederationRule:
    """GitHub vouches for the builds of payments."""
    row = Issuer.objects.create(name="GitHub", kind="github", url=issuer.url)
    made = FederationRule(
        name="payments builds",
        issuer=row,
        robot=office.world.robot,
        conditions={"repository_id": ["1234"], "ref": ["refs/heads/main"]},
        person_claim="actor",
        pattern="payments/**",
    )
    made.full_clean()
    made.save()
    return made


def exchange(office: Office, token: str, **more: str) -> Answer:
    return office.stranger.post("/oidc/exchange", {"token": token, **more})


def refused(answer: Answer, code: str) -> str:
    """Outside one sentence for all; the audit has the reason."""
    assert (answer.status, answer.code) == (403, "token_refused"), answer.body
    assert answer.body["detail"].startswith("This token is not taken.")
    event = AuditEvent.objects.filter(verb="oidc.refused").latest("pk")
    assert event.detail["code"] == code, event.detail
    assert not Secret.objects.filter(exchange__isnull=False).exists()
    return str(event.detail["reason"])


def audience() -> str:
    return str(settings.PORTAL_BASE_URL)


def test_the_audience_is_this_portal(office: Office) -> None:
    assert office.stranger.get("/oidc/audience").body == {"audience": audience()}


def test_a_job_gets_a_quarter_of_an_hour(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    answer = exchange(office, issuer.token(audience()))
    assert answer.status == 200, answer.body
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.body
    assert (body["username"], body["on_behalf_of"], body["expires_in"]) == (ROBOT, "alice", 900)
    made = Exchange.objects.select_related("secret").get()
    left = made.secret.expires_at - timezone.now()  # type: ignore[operator]
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    assert (made.secret.pattern, made.secret.actions) == ("payments/**", "pull,push")
    assert made.claims["repository_id"] == "1234"
    assert Door(body["token"]).get("/whoami").status == 200
    event = AuditEvent.objects.get(verb="oidc.exchanged")
    assert event.detail["claims"]["run_id"] == "9001"
    assert body["token"] not in json.dumps(event.detail)


def test_a_promotion_carries_the_person_behind_the_job(
    office: Office, issuer: FakeIssuer, rule: FederationRule
) -> None:
    job = Door(exchange(office, issuer.token(audience())).body["token"])
    body = office.body(office.build(), on_behalf_of="")
    answer = job.post("/promotions", body)
    assert answer.status == 202, answer.body
    row = PromotionRequest.objects.get()
    assert (row.on_behalf_of.username, row.on_behalf_source) == ("alice", "oidc")
    assert row.ci["sha"] == "9f2c"


def test_a_job_speaks_for_nobody_else(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    job = Door(exchange(office, issuer.token(audience())).body["token"])
    answer = job.post("/promotions", office.body(office.build(), on_behalf_of="bob"))
    assert (answer.status, answer.code) == (422, "not_the_actor")
    assert not PromotionRequest.objects.exists()


def test_a_job_of_nobody_known_asks_in_no_name(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    made = exchange(office, issuer.token(audience(), actor="renovate[bot]"))
    assert (made.status, made.body["on_behalf_of"]) == (200, "")
    answer = Door(made.body["token"]).post("/promotions", office.body(office.build(), on_behalf_of="alice"))
    assert (answer.status, answer.code) == (422, "unknown_actor")


def test_a_job_asks_only_for_what_its_rule_is_for(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    FederationRule.objects.update(pattern="payments/web")
    job = Door(exchange(office, issuer.token(audience())).body["token"])
    answer = job.post("/promotions", office.body(office.build(), on_behalf_of=""))
    assert (answer.status, answer.code) == (403, "not_allowed")


def test_a_token_works_once(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    token = issuer.token(audience())
    assert exchange(office, token).status == 200
    again = exchange(office, token)
    assert (again.status, again.code) == (403, "token_refused")
    assert AuditEvent.objects.get(verb="oidc.refused").detail["code"] == "reused"
    assert Secret.objects.filter(exchange__isnull=False).count() == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "https://other.example"}, "InvalidAudience"),
        ({"aud": ["http://127.0.0.1:8000", "https://other.example"]}, "InvalidAudience"),
        ({"aud": ["http://127.0.0.1:8000"]}, "InvalidAudience"),
        ({"aud": "http://127.0.0.1:8000/"}, "InvalidAudience"),
        ({"aud": None}, "MissingRequiredClaim"),
        ({"exp": 1_000_000_000}, "ExpiredSignature"),
        ({"exp": None}, "MissingRequiredClaim"),
        ({"exp": "soon"}, "DecodeError"),
        ({"iat": None}, "MissingRequiredClaim"),
        ({"iat": 4_000_000_000}, "ImmatureSignature"),
        ({"nbf": 4_000_000_000}, "ImmatureSignature"),
        ({"jti": None}, "MissingRequiredClaim"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "InvalidJTI"),
        ({"jti": "x" * 600}, "jti"),
    ],
)
def test_a_token_that_is_not_for_us_now(
    office: Office, issuer: FakeIssuer, rule: FederationRule, changes: dict[str, Any], reason: str
) -> None:
    assert reason in refused(exchange(office, issuer.token(audience(), **changes)), "not_valid")


def test_clocks_may_differ_by_half_a_minute(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    now = int(time.time())
    assert exchange(office, issuer.token(audience(), iat=now + 15, nbf=now + 15)).status == 200
    assert exchange(office, issuer.token(audience(), exp=now - 15)).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"repository_id": "4321"},
        {"repository_id": None},
        {"ref": "refs/heads/main/evil"},
        {"event_name": "pull_request_target"},
    ],
)
def test_a_job_that_no_rule_means(
    office: Office, issuer: FakeIssuer, rule: FederationRule, changes: dict[str, Any]
) -> None:
    assert "payments builds: " in refused(exchange(office, issuer.token(audience(), **changes)), "no_rule")


def test_the_old_and_the_new_form_of_a_subject_are_the_same_job(
    office: Office, issuer: FakeIssuer, rule: FederationRule
) -> None:
    for sub in ("repo:acme/payments:ref:refs/heads/main", "repo:acme@77/payments@1234:ref:refs/heads/main"):
        assert exchange(office, issuer.token(audience(), sub=sub)).status == 200


def test_nobody_is_asked_who_is_not_configured(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    with fake_issuer() as stranger:
        refused(exchange(office, stranger.token(audience())), "unknown_issuer")
        for url in (f"{issuer.url}/", issuer.url.upper(), None, 7, "\x00", "\ud800"):
            refused(exchange(office, forged(issuer, "RS256", claims={"iss": url})), "unknown_issuer")
        assert stranger.asked == []
    assert issuer.asked == []


def test_what_is_switched_off_is_asked_nothing(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    FederationRule.objects.update(is_enabled=False)
    refused(exchange(office, issuer.token(audience())), "no_rule")
    Issuer.objects.update(is_enabled=False)
    issuer.asked.clear()
    refused(exchange(office, issuer.token(audience())), "issuer_disabled")
    assert issuer.asked == []


def test_a_robot_that_is_off_stays_off(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    RobotAccount.objects.filter(pk=rule.robot_id).update(is_active=False)
    refused(exchange(office, issuer.token(audience())), "no_rule")


def forged(issuer: FakeIssuer, algorithm: str, claims: dict[str, Any] | None = None, **header: Any) -> str:
    claims = {**issuer.claims(audience()), **(claims or {})}
    parts = [{"alg": algorithm, "typ": "JWT", "kid": "first", **header}, claims]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*texts, "c2lnbmF0dXJl"])


def test_other_ways_to_sign_are_not_taken(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    for algorithm in ("none", "None", "HS256", "PS256", "ES256", "EdDSA", ""):
        refused(exchange(office, forged(issuer, algorithm)), "bad_algorithm")
    shared = jwt.encode(issuer.claims(audience()), "public" * 12, "HS256", headers={"kid": "first"})
    refused(exchange(office, shared), "bad_algorithm")
    assert issuer.asked == []


def test_a_key_that_the_token_brings_is_not_looked_at(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    mine = new_key()
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(mine.public_key()))
    token = jwt.encode(
        issuer.claims(audience()), mine, "RS256", headers={"kid": "first", "jwk": jwk, "jku": f"{issuer.url}/evil"}
    )
    assert "InvalidSignature" in refused(exchange(office, token), "not_valid")
    assert "/evil" not in issuer.asked
    refused(exchange(office, forged(issuer, "RS256", crit=["exp"])), "malformed")


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "..", "eyJ9.eyJ9.x", "W10.W10.x", "a.b.c.d" * 20, " . . "])
def test_what_is_no_token(office: Office, rule: FederationRule, token: str) -> None:
    refused(exchange(office, token), "malformed")


def test_a_huge_token_is_not_even_opened(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    refused(exchange(office, issuer.token(audience(), blob="x" * identity_token.MAX_CHARACTERS)), "too_large")
    refused(exchange(office, "." * 900_000), "too_large")
    assert exchange(office, "x" * 1_100_000).status == 413


def test_keys_rotate(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    assert exchange(office, issuer.token(audience())).status == 200
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]
    issuer.rotate("second")
    assert exchange(office, issuer.token(audience())).status == 403
    assert len(issuer.asked) == 2  # asked less than a minute ago
    Issuer.objects.update(jwks_tried_at=timezone.now() - timedelta(minutes=2))
    assert exchange(office, issuer.token(audience())).status == 200
    assert len(issuer.asked) == 4


def test_made_up_keys_make_us_ask_once_a_minute(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    evil = new_key()
    for number in range(5):
        refused(exchange(office, issuer.token(audience(), kid=f"made-up-{number}", key=evil)), "unknown_key")
    assert len(issuer.asked) == 2


@pytest.mark.parametrize(
    "broken",
    [
        (500, "text/plain", b"oops", ""),
        (200, "text/html", b"<html>Sign in</html>", ""),
        (200, "application/json", b'{"keys": []}', ""),
        (200, "application/json", b"[]", ""),
        (200, "application/json", b"[" * 100_000, ""),
        (200, "application/json", b" " * 300_000, ""),
        (200, "application/json", b'{"keys": [{"kty": "oct", "kid": "first", "k": "c2VjcmV0"}, 7]}', ""),
        (302, "text/plain", b"", "http://127.0.0.1:1/keys"),
    ],
    ids=["500", "html", "empty", "list", "deep", "large", "symmetric", "redirect"],
)
def test_an_issuer_in_trouble_takes_no_known_key_away(
    office: Office, issuer: FakeIssuer, rule: FederationRule, broken: tuple[int, str, bytes, str]
) -> None:
    issuer.said["/keys"] = broken
    refused(exchange(office, issuer.token(audience())), "unknown_key")
    row = Issuer.objects.get()
    assert row.jwks_error
    assert row.jwks == {}
    del issuer.said["/keys"]
    Issuer.objects.update(jwks_tried_at=None)
    assert exchange(office, issuer.token(audience())).status == 200
    assert Issuer.objects.get().jwks_error == ""
    issuer.said["/keys"] = broken
    Issuer.objects.update(jwks_tried_at=None, jwks_fetched_at=timezone.now() - timedelta(days=1))
    assert exchange(office, issuer.token(audience())).status == 200
    assert Issuer.objects.get().jwks_error


def test_an_issuer_that_lies_about_itself(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    with fake_issuer() as other:
        for lie in ({"jwks_uri": f"{other.url}/keys"}, {"issuer": other.url}, {"jwks_uri": "file:///etc/passwd"}):
            issuer.discovery = dict(lie)
            Issuer.objects.update(jwks_tried_at=None)
            refused(exchange(office, issuer.token(audience())), "unknown_key")
        assert other.asked == []


def test_rules_for_several_robots(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    other = RobotAccount.objects.create(name="payments-two", kind="ci", team=office.world.robot.team)
    FederationRule.objects.create(name="two", issuer=rule.issuer, robot=other, conditions={"repository_id": ["1234"]})
    refused(exchange(office, issuer.token(audience())), "several_robots")
    assert exchange(office, issuer.token(audience()), robot=other.login).body["username"] == other.login
    assert exchange(office, issuer.token(audience()), robot=ROBOT).body["username"] == ROBOT


def test_addresses_and_rules_are_counted(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    minute = timezone.now().replace(second=0, microsecond=0)
    for ahead in (minute, minute + timedelta(minutes=1)):
        AttemptCount.objects.create(key=f"rule:{rule.pk}", minute=ahead, count=federation.PER_RULE)
    answer = exchange(office, issuer.token(audience()))
    assert (answer.status, answer.code) == (429, "too_many")
    for ahead in (minute, minute + timedelta(minutes=1)):
        values = {"count": federation.PER_ADDRESS}
        AttemptCount.objects.update_or_create(key="address:127.0.0.1", minute=ahead, defaults=values)
    issuer.asked.clear()
    assert exchange(office, "x").status == 429
    assert not AuditEvent.objects.filter(verb="oidc.refused").exists()


def test_what_is_past_is_forgotten(office: Office, issuer: FakeIssuer, rule: FederationRule) -> None:
    assert exchange(office, issuer.token(audience())).status == 200
    federation.forget_old_exchanges(timezone.now())
    assert (UsedToken.objects.count(), Exchange.objects.count()) == (1, 1)
    federation.forget_old_exchanges(timezone.now() + timedelta(days=8))
    assert (UsedToken.objects.count(), Exchange.objects.count(), AttemptCount.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    "url",
    [
        "http://ci.example",
        "https://",
        "ftp://ci.example",
        "https://me@ci.example",
        "https://ci.example?x",
        "https://ci example",
    ],
)
def test_an_issuer_has_an_address_that_can_be_trusted(url: str) -> None:
    with pytest.raises(ValidationError):
        Issuer(name="x", url=url).clean()
    Issuer(name="x", url="https://ci.example").clean()


def test_only_robots_of_ci_act_for_jobs(office: Office, rule: FederationRule) -> None:
    rule.robot = RobotAccount.objects.get(name="shop-web")
    with pytest.raises(ValidationError, match="kind CI"):
        rule.full_clean()


def test_a_change_in_the_admin_ends_what_was_made_from_it(
    office: Office, issuer: FakeIssuer, rule: FederationRule
) -> None:
    token = exchange(office, issuer.token(audience())).body["token"]
    admin = Client()
    admin.force_login(office.world.people["dave"])
    row = rule.issuer
    form = {"name": "GitHub", "kind": "github", "url": "https://new.example", "algorithms": '["RS256"]', "jwks_url": ""}
    answer = admin.post(f"/admin/access/issuer/{row.pk}/change/", form)
    assert answer.status_code == 302, answer.content.decode()
    row.refresh_from_db()
    assert (row.url, row.is_enabled, row.jwks) == ("https://new.example", False, {})
    assert Door(token).get("/whoami").status == 401
