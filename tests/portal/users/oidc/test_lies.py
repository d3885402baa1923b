"""Whatever the provider gets wrong ends on a page that says what happened, and leaves no account behind."""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache

from portal.http import outside
from portal.users.models import User
from tests.fakes.identity_provider import FakeProvider
from tests.fakes.issuer import new_key
from tests.portal.users.oidc.conftest import SetUp
from tests.portal.users.oidc.traveller import Answer, Traveller, words

pytestmark = [pytest.mark.django_db]

CANNOT_BE_TRUSTED = "What Company answered cannot be trusted"
DID_NOT_ANSWER = "Company did not answer as it should"
SMALL_KEY = new_key(1024)
STRANGER = new_key()
Lie = Callable[[FakeProvider], None]


def lie(**changes: Any) -> Lie:
    """The provider with other values, laid over what it has where that is a dictionary."""

    def tell(company: FakeProvider) -> None:
        for name, value in changes.items():
            setattr(company, name, value)

    return tell


def changed(**claims: Any) -> Lie:
    return lie(claims=claims)


def publish(**members: Any) -> Lie:
    """Keys with other members than they should have."""

    def tell(company: FakeProvider) -> None:
        true = company.answer("GET", "/keys", {}, {}, {})
        company.asked.clear()
        keys = [{**key, **members} for key in json.loads(true[2])["keys"]]
        company.said["/keys"] = (200, "application/json", json.dumps({"keys": keys}).encode(), "")

    return tell


def try_it(traveller: Traveller) -> Answer:
    """As far as it goes: some lies are noticed before anybody sets out."""
    answer = traveller.client.post("/accounts/oidc/company/login/")
    return traveller.sign_in() if answer.status_code == 200 else answer


def nobody_came_in(traveller: Traveller, answer: Answer) -> None:
    assert 400 <= answer.status_code < 600
    assert not User.objects.exists()
    assert not SocialAccount.objects.exists()
    assert traveller.name == ""
    assert "To the login page" in words(answer)


@pytest.mark.parametrize(
    ("tell", "sentence"),
    [
        (changed(nonce="of another sign-in"), "belongs to another sign-in"),
        (changed(nonce=None), "belongs to another sign-in"),
        (changed(nonce=7), "belongs to another sign-in"),
        (changed(aud="somebody-else"), "meant for another application"),
        (changed(aud=["portreeve", "somebody-else"]), "meant for another application"),
        (changed(aud=["portreeve", "other"], azp="other"), "meant for another application"),
        (changed(azp="other"), "meant for another application"),
        (changed(aud=None), "does not say everything"),
        (changed(iss="https://evil.example"), "issued by somebody else"),
        (changed(exp=int(time.time()) - 120), "has expired"),
        (changed(exp=None), "does not say everything"),
        (changed(exp="soon"), "cannot be read"),
        (changed(iat=int(time.time()) + 3600), "is of the future"),
        (changed(nbf=int(time.time()) + 3600), "is of the future"),
        (changed(sub=None), "does not say everything"),
        (changed(sub=""), "names nobody"),
        (changed(sub="a\0b"), "names nobody"),
        (changed(sub=7), "cannot be read"),
        (lie(key=STRANGER), "signature of its identity token is wrong"),
        (lie(header={"kid": "unheard-of"}), "'unheard-of' that it does not publish"),
        (lie(header={"kid": 7}), "cannot be read"),
        (lie(header={"crit": ["b64"]}), "cannot be read"),
        (lie(algorithm="none", key=""), "signed with 'none'"),
        (lie(algorithm="HS256", key="portreeve-and-a-secret-of-32-bytes!"), "signed with 'HS256'"),
        (lie(token_text="not.a.token"), "cannot be read"),
        (lie(token_text="x" * 70_000), "gave no identity token"),
        (lie(discovery={"issuer": "https://evil.example"}), "discovery document is of 'https://evil.example'"),
        (lie(discovery={"issuer": None}), "discovery document is of 'None'"),
        (lie(discovery={"jwks_uri": "http://evil.example/keys"}), "no jwks_uri that may be used"),
        (lie(discovery={"jwks_uri": "file:///etc/passwd"}), "no jwks_uri that may be used"),
        (lie(discovery={"token_endpoint": None}), "no token_endpoint that may be used"),
        (lie(discovery={"token_endpoint": 7}), "no token_endpoint that may be used"),
        (lie(discovery={"authorization_endpoint": "javascript:alert(1)"}), "no authorization_endpoint"),
        (publish(kty="oct", k="c2VjcmV0"), "does not publish"),
        (publish(alg="RS512"), "does not publish"),
        (publish(n="!!"), "key its identity token is signed with cannot be read"),
        (lie(keys={"first": SMALL_KEY}), "1024 bits"),
    ],
)  # fmt: skip
def test_a_lie_is_told_in_words(company: FakeProvider, tell: Lie, sentence: str) -> None:
    tell(company)
    traveller = Traveller()
    answer = try_it(traveller)
    assert answer.status_code == 502
    assert CANNOT_BE_TRUSTED in words(answer)
    assert sentence in words(answer)
    nobody_came_in(traveller, answer)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys", "/userinfo"])
@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ((500, "text/html", b"<h1>Oops</h1>", ""), "answered 500"),
        ((302, "text/plain", b"", "http://127.0.0.1:9/elsewhere"), "answered 302"),
        ((200, "text/html", b"<!DOCTYPE html>", ""), "is no JSON"),
        ((200, "application/json", b"[1]", ""), "JSON that is no object"),
        ((200, "application/json", b"[" * 100_000, ""), "is no JSON"),
        ((200, "application/json", b'{"a":"' + b"x" * 300_000 + b'"}', ""), "more than 262144 bytes"),
    ],
)
def test_an_answer_that_is_none_is_told_too(
    company: FakeProvider, path: str, said: tuple[int, str, bytes, str], sentence: str
) -> None:
    company.in_token = False
    company.said[path] = said
    traveller = Traveller()
    answer = try_it(traveller)
    assert answer.status_code == 503
    assert DID_NOT_ANSWER in words(answer)
    assert sentence in words(answer)
    nobody_came_in(traveller, answer)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
def test_a_provider_that_is_slow_is_not_waited_for(
    company: FakeProvider, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(outside, "TIMEOUT", (0.3, 0.3))
    company.waits[path] = 2
    traveller = Traveller()
    begun = time.monotonic()
    answer = try_it(traveller)
    assert time.monotonic() - begun < 1.8
    assert (answer.status_code, "ReadTimeout" in words(answer)) == (503, True)
    nobody_came_in(traveller, answer)


def test_a_provider_that_drips_is_left_in_the_middle(company: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "DEADLINE_SECONDS", 0.5)
    company.drips.add("/token")
    begun = time.monotonic()
    traveller = Traveller()
    answer = traveller.sign_in()
    assert time.monotonic() - begun < 5
    assert "took longer than" in words(answer)
    nobody_came_in(traveller, answer)


def test_a_provider_that_is_down_is_said_to_be(company: FakeProvider, set_up: SetUp) -> None:
    set_up(issuer="http://127.0.0.1:9")
    traveller = Traveller()
    answer = traveller.client.post("/accounts/oidc/company/login/")
    assert (answer.status_code, "ConnectionError" in words(answer)) == (503, True)
    nobody_came_in(traveller, answer)


def test_a_provider_that_is_down_is_not_asked_by_everybody(company: FakeProvider) -> None:
    company.said["/.well-known/openid-configuration"] = (500, "text/plain", b"", "")
    for _ in range(4):
        assert Traveller().client.post("/accounts/oidc/company/login/").status_code == 503
    assert len(company.asked) == 1
    cache.clear()
    company.said.clear()
    assert Traveller().sign_in().status_code == 302


def test_userinfo_of_somebody_else_is_not_believed(company: FakeProvider) -> None:
    company.in_token = False
    company.userinfo = {"sub": "mallory-at-work"}
    traveller = Traveller()
    answer = traveller.sign_in()
    assert "tells about somebody else" in words(answer)
    nobody_came_in(traveller, answer)


def test_a_code_of_another_sign_in_is_refused_there(company: FakeProvider) -> None:
    """mallory puts her own code into alice's way back: the PKCE verifier of alice's browser does not fit it."""
    company.knows("mallory")
    mallory, alice = Traveller(), Traveller()
    company.here = "mallory"
    code = mallory.ask(mallory.set_out()).partition("code=")[2]
    company.here = "alice"
    place, _, _ = alice.ask(alice.set_out()).partition("code=")
    answer = alice.client.get(f"{place}code={code}")
    assert answer.status_code == 401
    assert "did not finish the sign-in" in words(answer)
    assert "invalid_grant" in words(answer)
    nobody_came_in(alice, answer)


@pytest.mark.parametrize("query", ["?code=x&state=made-up", "?code=x", "", "?state=x&code=", "?error=server_error"])
def test_an_answer_to_nothing_we_asked_is_refused(company: FakeProvider, query: str) -> None:
    traveller = Traveller()
    answer = traveller.client.get(f"/accounts/oidc/company/login/callback/{query}")
    assert answer.status_code == 400
    assert "This sign-in cannot be finished" in words(answer)
    assert "/token" not in company.asked
    nobody_came_in(traveller, answer)


def test_coming_back_twice_is_refused_the_second_time(company: FakeProvider) -> None:
    traveller = Traveller()
    back = traveller.ask(traveller.set_out())
    assert traveller.client.get(back).status_code == 302
    assert traveller.client.get(back).status_code == 400


def test_the_state_of_one_browser_is_nothing_to_another(company: FakeProvider) -> None:
    back = Traveller().ask(Traveller().set_out())
    other = Traveller()
    answer = other.client.get(back)
    assert answer.status_code == 400
    nobody_came_in(other, answer)


def test_turning_back_at_the_provider_is_no_error(company: FakeProvider) -> None:
    company.here = "nobody"
    traveller = Traveller()
    answer = traveller.sign_in()
    assert answer.status_code == 403
    assert "Company did not let you through" in words(answer)
    nobody_came_in(traveller, answer)


def test_the_answer_of_another_issuer_is_refused(company: FakeProvider) -> None:
    traveller = Traveller()
    answer = traveller.client.get(traveller.ask(traveller.set_out()) + "&iss=https://evil.example")
    assert "names another issuer" in words(answer)
    nobody_came_in(traveller, answer)


def test_a_wrong_secret_of_ours_is_said(company: FakeProvider, set_up: SetUp) -> None:
    set_up(client_secret="wrong")
    traveller = Traveller()
    answer = traveller.sign_in()
    assert "invalid_client" in words(answer)
    nobody_came_in(traveller, answer)


def test_keys_are_not_asked_for_again_and_again(company: FakeProvider) -> None:
    Traveller().sign_in()
    company.header = {"kid": "unheard-of"}
    for _ in range(5):
        assert Traveller().sign_in().status_code == 502
    assert company.asked.count("/keys") == 2


def test_a_key_that_was_rotated_is_found(company: FakeProvider) -> None:
    Traveller().sign_in()
    company.keys = {"second": STRANGER}
    assert Traveller().sign_in().status_code == 302


def test_the_fake_tells_the_truth_when_it_is_not_told_to_lie(company: FakeProvider) -> None:
    """Or else every lie above would be refused for another reason."""
    traveller = Traveller()
    assert traveller.sign_in().status_code == 302
    assert traveller.name == "alice"
    assert jwt.get_unverified_header(jwt.encode({}, STRANGER, "RS256"))["alg"] == "RS256"
