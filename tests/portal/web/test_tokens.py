"""Personal tokens: narrowed where they are made, shown once whatever one presses, replaced with an overlap."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.outbox.models import Message
from registries.access.credential.credentials import authenticate_secret, issue_personal_token, revoke_secret
from registries.access.credential.warn import warn_of_ends
from registries.access.models import PersonalToken
from tests.portal.web.cast import Company
from tests.portal.web.conftest import SignIn

SECRET = re.compile(r"ptp_[0-9a-f]{16}_[A-Za-z0-9_-]{43}")
ONCE = re.compile(r'name="once" value="([^"]+)"')


def shown(answer: Any) -> str:
    found = SECRET.search(answer.content.decode())
    assert found is not None
    return found[0]


def word(client: Client, path: str = "/my/access/") -> str:
    found = ONCE.search(client.get(path).content.decode())
    assert found is not None
    return found[1]


def complaints(answer: Any) -> str:
    return " ".join(
        re.findall(
            r'<(?:ul|div) class="(?:errorlist|form-fault)[^>]*>(.*?)</(?:ul|div)>', answer.content.decode(), re.DOTALL
        )
    )


def test_what_a_token_is_good_for_is_chosen_and_shown(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    made = client.post(
        "/my/tokens/",
        {
            "name": "CI of a friend", "days": "30", "actions": ["pull"], "registries": ["prod", "ci-snapshots"],
            "pattern": "payments/**", "networks": "10.0.0.0/8 2001:db8::/32", "from_here": "on",
        },
    )  # fmt: skip
    assert made.status_code == 200
    token = PersonalToken.objects.get()
    assert (token.actions, token.pattern) == ("pull", "payments/**")
    assert set(token.registries.split(",")) == {"prod", "ci-snapshots"}
    assert token.networks == "10.0.0.0/8, 2001:db8::/32, 127.0.0.1"
    page = client.get("/my/access/").content.decode()
    assert "only pull payments/** at" in page
    assert "from 10.0.0.0/8, 2001:db8::/32, 127.0.0.1" in page
    found = authenticate_secret("alice", shown(made), timezone.now())
    assert found is not None
    assert (found.narrow_actions, found.narrow_pattern) == ("pull", "payments/**")


def test_the_common_case_needs_a_name_alone(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    assert client.post("/my/tokens/", {"name": "laptop", "once": word(client)}).status_code == 200
    token = PersonalToken.objects.get()
    assert (token.actions, token.pattern, token.registries, token.networks) == ("", "", "", "")
    assert token.expires_at is not None
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)


def test_everything_chosen_is_nothing_narrowed(company: Company, signed_in: SignIn) -> None:
    signed_in(company.alice).post(
        "/my/tokens/", {"name": "x", "actions": ["pull", "push", "delete"], "pattern": "**", "days": "7"}
    )
    token = PersonalToken.objects.get()
    assert (token.actions, token.pattern) == ("", "")


def test_an_end_may_be_a_day_and_that_day_counts(company: Company, signed_in: SignIn) -> None:
    day = timezone.now().date() + timedelta(days=3)
    signed_in(company.alice).post("/my/tokens/", {"name": "x", "days": "365", "ends_on": day.isoformat()})
    token = PersonalToken.objects.get()
    assert token.expires_at is not None
    assert token.expires_at.date() == day + timedelta(days=1)
    assert (token.expires_at.hour, token.expires_at.minute) == (0, 0)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"pattern": "Payments/**"}, "lower-case letters"),
        ({"pattern": "payments/api:1.4"}, "Leave registry, tag and digest out"),
        ({"pattern": "prod.test/payments/**"}, "Leave prod.test/ out and choose the registry by its name: payments/**"),
        ({"pattern": "/payments"}, "No name of a repository fits"),
        ({"pattern": "a//b"}, "No name of a repository fits"),
        ({"pattern": "a/***"}, "No name of a repository fits"),
        ({"pattern": "ä"}, "lower-case letters"),
        ({"pattern": "x" * 256}, "255"),
        ({"networks": "10.0.0.300"}, "10.0.0.300"),
        ({"networks": "the office"}, "Write networks such as"),
        ({"networks": "10.0.0.1/8"}, "host bits"),
        ({"networks": ",".join(f"10.0.{n}.0/24" for n in range(40))}, "too many to be kept"),
        ({"registries": ["nowhere"]}, "no registry named nowhere"),
        ({"actions": ["fly"]}, "fly is no action"),
        ({"ends_on": "2001-01-01"}, "This day is over"),
        ({"ends_on": "9999-12-31"}, "more than ten years away"),
        ({"ends_on": "tomorrow"}, "Write the day as"),
        ({"days": "99999"}, "99999"),
        ({"name": "a\x00b"}, "Null"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    company: Company, signed_in: SignIn, given: dict[str, Any], complaint: str
) -> None:
    client = signed_in(company.alice)
    answer = client.post("/my/tokens/", {"name": "laptop", "days": "30", **given})
    assert answer.status_code == 400
    assert complaint in complaints(answer)
    assert not PersonalToken.objects.exists()
    text = answer.content.decode()
    assert 'value="laptop"' in text or "name" in given, "what was typed is kept"
    if not {"days", "name"} & set(given):
        assert '<details class="narrow" open>' in text


def test_pressing_twice_makes_one_and_shows_it_once(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    form = {"name": "laptop", "days": "30", "once": word(client)}
    secret = shown(client.post("/my/tokens/", form))
    again = client.post("/my/tokens/", form)
    assert again.status_code == 409
    assert "This was sent before" in complaints(again)
    assert SECRET.search(again.content.decode()) is None
    assert PersonalToken.objects.count() == 1
    mended = ONCE.search(again.content.decode())
    assert mended is not None
    assert mended[1] != form["once"]
    assert client.post("/my/tokens/", {**form, "once": mended[1]}).status_code == 200
    assert authenticate_secret("alice", secret, timezone.now()) is not None


def test_the_word_of_one_person_is_not_that_of_another(company: Company, signed_in: SignIn) -> None:
    form = {"name": "laptop", "days": "30", "once": "same"}
    assert signed_in(company.alice).post("/my/tokens/", form).status_code == 200
    assert signed_in(company.charlie).post("/my/tokens/", form).status_code == 200


def test_neither_reloading_nor_going_back_shows_it_again(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    made = client.post("/my/tokens/", {"name": "laptop", "days": "30", "once": word(client)})
    secret = shown(made)
    for answer in (made, client.get("/my/access/")):
        assert "no-store" in answer["Cache-Control"]
    key = PersonalToken.objects.get().pk
    client.force_login(company.alice, "allauth.account.auth_backends.AuthenticationBackend")
    for path in ("/my/access/", f"/my/tokens/{key}/replace/", "/my/clients/", "/inbox/", "/"):
        assert secret not in client.get(path).content.decode()
    assert client.get("/my/tokens/").status_code == 405


def test_twenty_are_enough_and_revoking_makes_room(company: Company, signed_in: SignIn) -> None:
    for number in range(20):
        issue_personal_token(company.alice.actor, company.alice, f"t{number}", None)
    client = signed_in(company.alice)
    refused = client.post("/my/tokens/", {"name": "one more", "days": "30"})
    assert refused.status_code == 409
    assert "20 secrets that work" in complaints(refused)
    revoke_secret(company.alice.actor, PersonalToken.objects.latest("pk"))
    assert client.post("/my/tokens/", {"name": "one more", "days": "30"}).status_code == 200


def test_a_token_is_replaced_by_one_that_is_as_good_and_both_work_for_a_while(
    company: Company, signed_in: SignIn
) -> None:
    client = signed_in(company.alice)
    old_text = shown(
        client.post("/my/tokens/", {"name": "laptop", "days": "30", "pattern": "payments/**", "actions": ["pull"]})
    )
    old = PersonalToken.objects.get()
    page = f"/my/tokens/{old.pk}/replace/"
    asked = client.get(page).content.decode()
    assert "only pull payments/**" in asked
    assert "30 days, as the old one did" in asked
    form = {"overlap": "1", "days": "same", "once": word(client, page)}
    answer = client.post(page, form)
    new_text, text = shown(answer), answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert "The old one still works until" in text
    new = PersonalToken.objects.exclude(pk=old.pk).get()
    old.refresh_from_db()
    assert (new.name, new.pattern, new.actions, new.replaces) == ("laptop", "payments/**", "pull", old)
    assert old.expires_at is not None
    assert new.expires_at is not None
    assert timedelta(minutes=50) < old.expires_at - timezone.now() <= timedelta(hours=1)
    assert timedelta(days=29) < new.expires_at - timezone.now() <= timedelta(days=30)
    now = timezone.now()
    assert all(authenticate_secret("alice", each, now) for each in (old_text, new_text))
    assert authenticate_secret("alice", old_text, now + timedelta(hours=1)) is None
    assert authenticate_secret("alice", new_text, now + timedelta(hours=1)) is not None
    event = AuditEvent.objects.get(verb="personaltoken.replaced")
    assert (event.detail["handle"], event.detail["by"]) == (old.handle, new.handle)
    again = client.post(page, form)
    assert (again.status_code, PersonalToken.objects.count()) == (409, 2)
    assert SECRET.search(again.content.decode()) is None
    second = client.post(page, {**form, "once": "another"})
    assert second.status_code == 409
    assert "was replaced by" in complaints(second)
    assert "replaced by laptop" in client.get("/my/access/").content.decode()


def test_nobody_replaces_what_is_not_theirs_and_nothing_what_has_ended(company: Company, signed_in: SignIn) -> None:
    token, _ = issue_personal_token(company.alice.actor, company.alice, "laptop", None)
    for other in (company.charlie, company.ada):
        assert (
            signed_in(other).post(f"/my/tokens/{token.pk}/replace/", {"overlap": "1", "days": "90"}).status_code == 404
        )
    revoke_secret(company.alice.actor, token)
    client = signed_in(company.alice)
    assert "nothing to replace" in client.get(f"/my/tokens/{token.pk}/replace/").content.decode()
    assert client.post(f"/my/tokens/{token.pk}/replace/", {"overlap": "1", "days": "90"}).status_code == 409
    assert PersonalToken.objects.count() == 1


def test_every_state_has_its_word(company: Company, signed_in: SignIn) -> None:
    now = timezone.now()
    for name, days in (("works-name", 90), ("soon-name", 5), ("ended-name", -1), ("long-gone", -40)):
        issue_personal_token(company.alice.actor, company.alice, name, now + timedelta(days=days))
    revoke_secret(
        company.alice.actor, issue_personal_token(company.alice.actor, company.alice, "revoked-name", None)[0]
    )
    page = signed_in(company.alice).get("/my/access/").content.decode()
    rows = {row.partition("-name")[0].rpartition(">")[2]: row for row in page.split("<tr>") if "-name" in row}
    assert {name: word for name, row in rows.items() for word in ("ends soon", "works", "revoked", "ended") if f">{word}<" in row} == {
        "works": "works", "soon": "ends soon", "ended": "ended", "revoked": "revoked",
    }  # fmt: skip
    assert "long-gone" not in page
    assert page.count(">Replace<") == 2


def test_a_secret_stands_in_nothing_that_is_kept(
    company: Company, signed_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs, audit, messages, sessions and every column of the row; titles of pages too."""
    client = signed_in(company.alice)
    with caplog.at_level(logging.DEBUG):
        made = client.post("/my/tokens/", {"name": "laptop", "days": "7"})
        secret = shown(made)
        page = f"/my/tokens/{PersonalToken.objects.get().pk}/replace/"
        second = shown(client.post(page, {"overlap": "24", "days": "7"}))
        warn_of_ends(timezone.now())
    kept = [
        caplog.text,
        *(str(row) for model in (AuditEvent, Message, PersonalToken) for row in model._default_manager.values()),
        *(str(row.get_decoded()) for row in Session.objects.all()),
        *re.findall(r"<title>.*?</title>", made.content.decode(), re.DOTALL),
    ]
    assert Message.objects.exists()
    for text in (secret, second):
        assert not [row for row in kept if text in row or text.rpartition("_")[2] in row]
