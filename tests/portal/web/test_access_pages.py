"""My access: rights with their reasons, tokens that are shown once, commands ready to copy, and explanations."""

import re

from django.utils import timezone

from registries.access.credential.credentials import authenticate_secret
from registries.access.models import PersonalToken, RobotAccount
from tests.portal.web.cast import Company
from tests.portal.web.conftest import SignIn


def test_a_token_is_shown_once_and_works(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    made = client.post("/my/tokens/", {"name": "laptop", "days": "30"})
    assert made.status_code == 200
    assert "no-store" in made["Cache-Control"]
    secret = re.search(r"ptp_[A-Za-z0-9]+_[A-Za-z0-9_-]{43}", made.content.decode())
    assert secret is not None
    principal = authenticate_secret("alice", secret[0], timezone.now())
    assert principal is not None
    assert principal.name == "alice"
    assert secret[0] not in client.get("/my/access/").content.decode()


def test_a_token_without_a_name_is_not_made(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    for data in ({"name": "", "days": "30"}, {"name": "x", "days": "99999"}, {"name": "x" * 200, "days": "30"}):
        assert client.post("/my/tokens/", data).status_code == 400
    assert not PersonalToken.objects.exists()


def test_a_revoked_token_is_gone_from_the_list_and_refused(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    page = client.post("/my/tokens/", {"name": "laptop", "days": "30"}).content.decode()
    secret = re.search(r"ptp_[A-Za-z0-9]+_[A-Za-z0-9_-]{43}", page)
    assert secret is not None
    answer = client.post(f"/my/tokens/{PersonalToken.objects.get().pk}/revoke/", follow=True)
    assert "is revoked" in answer.content.decode()
    assert authenticate_secret("alice", secret[0], timezone.now()) is None


def test_nobody_revokes_what_is_not_theirs(company: Company, signed_in: SignIn) -> None:
    signed_in(company.alice).post("/my/tokens/", {"name": "laptop", "days": "30"})
    key = PersonalToken.objects.get().pk
    for other in (company.charlie, company.ada):
        assert signed_in(other).post(f"/my/tokens/{key}/revoke/").status_code == 404
    assert PersonalToken.objects.get().revoked_at is None


def test_tokens_are_changed_by_post_alone(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    assert client.get("/my/tokens/").status_code == 405
    assert client.get("/my/tokens/1/revoke/").status_code == 405


def test_rights_come_with_their_reason(company: Company, signed_in: SignIn) -> None:
    company.allow(company.alice, company.prod, "finance/*", reason="auditing in March")
    page = signed_in(company.alice).get("/my/access/").content.decode()
    assert "prod takes images only from the promotion pipeline" in page
    assert "finance/*" in page
    assert "auditing in March" in page
    assert "payments/…" in page


def test_commands_carry_the_readers_own_name(company: Company, signed_in: SignIn) -> None:
    page = signed_in(company.alice).get("/my/clients/?registry=prod").content.decode()
    assert "docker login prod.test -u alice" in page
    assert "sandbox.test" not in page
    assert "You have no token yet" in page


def test_explain_says_why_not_and_what_would_help(company: Company, signed_in: SignIn) -> None:
    question = {"who": "alice", "action": "push", "registry": "prod", "repository": "payments/api"}
    page = signed_in(company.alice).get("/explain/", question).content.decode()
    assert "may not" in page
    assert "pipeline" in page
    question |= {"registry": "sandbox"}
    assert "may not" not in signed_in(company.alice).get("/explain/", question).content.decode()


def test_explain_keeps_what_was_typed_when_it_cannot_answer(company: Company, signed_in: SignIn) -> None:
    question = {"who": "ada", "action": "pull", "registry": "prod", "repository": "prod.test/payments/API:1"}
    page = signed_in(company.ada).get("/explain/", question).content.decode()
    assert "Not the name of a repository" in page
    assert "prod.test/payments/API:1" in page
    nobody = (
        signed_in(company.ada).get("/explain/", {**question, "who": "nobody", "repository": "a/b"}).content.decode()
    )
    assert "There is nobody named" in nobody


def test_curiosity_about_others_is_for_people_with_a_role(company: Company, signed_in: SignIn) -> None:
    RobotAccount.objects.create(name="payments-ci", kind="ci", team=company.payments)
    question = {"action": "pull", "registry": "prod", "repository": "payments/api"}
    assert signed_in(company.charlie).get("/explain/", {**question, "who": "alice"}).status_code == 403
    assert signed_in(company.charlie).get("/explain/", {**question, "who": "robot.payments-ci"}).status_code == 403
    assert signed_in(company.alice).get("/explain/", {**question, "who": "robot.payments-ci"}).status_code == 200
    assert signed_in(company.rita).get("/explain/", {**question, "who": "alice"}).status_code == 200
