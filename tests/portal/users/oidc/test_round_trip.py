"""alice comes in by her company's provider, over real HTTP."""

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from portal.audit.models import AuditEvent
from portal.users.models import User
from tests.fakes.identity_provider import FakeProvider
from tests.portal.users.oidc.traveller import Traveller

pytestmark = [pytest.mark.django_db]


def test_somebody_new_gets_an_account(company: FakeProvider) -> None:
    traveller = Traveller()
    answer = traveller.sign_in(next="/my/access/")
    assert (answer.status_code, answer["Location"]) == (302, "/my/access/")
    alice = User.objects.get()
    assert (alice.username, alice.email, alice.first_name) == ("alice", "alice@corp.example", "Alice")
    assert not alice.has_usable_password()
    assert EmailAddress.objects.get(user=alice, primary=True).verified
    assert traveller.name == "alice"
    assert SocialAccount.objects.get().extra_data["sub"] == "alice-at-work"
    assert AuditEvent.objects.get(verb="person.created").actor_name == "oidc:company"
