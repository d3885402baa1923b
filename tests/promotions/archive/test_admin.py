"""The archive in the admin: an entry made by the form is imported; who may not change it reads."""

from typing import Any

import pytest
from django.test import Client

from portal.audit.models import AuditEvent
from portal.jobs.models import JobState
from portal.users.accounts import create_person
from portal.users.models import Role, User
from promotions.archive.models import ArchiveEntry, IntakeJob
from registries.catalog.models import Hold
from registries.copies.models import CopyJob
from tests.promotions.archive.shelves import Shelves, bring_in, turn
from tests.promotions.workflow.world import SETUP

LIST = "/admin/archive/archiveentry/"


def signed_in(name: str, *roles: Role, is_superuser: bool = False) -> tuple[Client, User]:
    person = create_person(
        SETUP, name, f"{name}@example.com", "correct horse 7", roles=roles, is_superuser=is_superuser
    )
    client = Client()
    client.force_login(person, "allauth.account.auth_backends.AuthenticationBackend")
    return client, person


@pytest.fixture
def admin(shelves: Shelves) -> Client:
    return signed_in("root", is_superuser=True)[0]


def form(shelves: Shelves, **changes: Any) -> dict[str, Any]:
    """What the page sends."""
    return {
        "upstream": shelves.hub.pk,
        "upstream_repository": "library/alpine",
        "upstream_tag": "3.20",
        "digest": "",
        "archive": shelves.archive.pk,
        "repository": "upstream/alpine",
        "tag": "3.20",
        "owner": shelves.team.pk,
        "reason": "Base of all services.",
        "review_on": "",
        **changes,
    }


def test_an_entry_made_by_the_form_is_imported(shelves: Shelves, admin: Client) -> None:
    digest = shelves.publish()
    answer = admin.post(f"{LIST}add/", form(shelves))
    assert answer.status_code == 302, answer.context["errors"]
    entry = ArchiveEntry.objects.get()
    bring_in(entry)
    assert (entry.state, entry.digest) == ("present", digest)
    page = admin.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert str(digest) in page
    assert "digests read back" in page
    assert IntakeJob.objects.get().actor_name == "root"
    assert AuditEvent.objects.filter(verb="archiveentry.created").count() == 1


def test_the_form_offers_upstreams_and_archives_alone(shelves: Shelves, admin: Client) -> None:
    fields = admin.get(f"{LIST}add/").context["adminform"].form.fields
    assert [str(row) for row in fields["upstream"].queryset] == ["hub"]
    assert [str(row) for row in fields["archive"].queryset] == ["archive"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"upstream_repository": "Not A Name"}, "upstream_repository"),
        ({"digest": "sha256:short"}, "digest"),
        ({"reason": ""}, "reason"),
        ({"owner": "99999"}, "owner"),
        ({"review_on": "soon"}, "review_on"),
    ],
)
def test_bad_input_is_said_at_the_field_and_nothing_typed_is_lost(
    shelves: Shelves, admin: Client, changes: dict[str, str], field: str
) -> None:
    answer = admin.post(f"{LIST}add/", form(shelves, **changes))
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert 'value="upstream/alpine"' in answer.content.decode()
    assert not ArchiveEntry.objects.exists()


def test_what_an_entry_means_does_not_change(shelves: Shelves, admin: Client) -> None:
    shelves.publish()
    entry = shelves.add()
    admin.post(f"{LIST}{entry.pk}/change/", form(shelves, upstream_tag="3.21", reason="Another reason."))
    entry.refresh_from_db()
    assert (entry.upstream_tag, entry.reason) == ("3.20", "Another reason.")


def test_import_now_again_after_a_failure(shelves: Shelves, admin: Client) -> None:
    entry = shelves.add()
    turn(entry)
    assert entry.state == "failed"
    assert "hub/library/alpine has no tag 3.20" in admin.get(f"{LIST}{entry.pk}/change/").content.decode()
    shelves.publish()
    admin.post(LIST, {"action": "import_now", "_selected_action": [entry.pk]})
    bring_in(entry)
    assert entry.state == "present"
    answer = admin.post(LIST, {"action": "import_now", "_selected_action": [entry.pk]}, follow=True)
    assert "already" in answer.content.decode()


def test_an_auditor_reads_and_adds_nothing(shelves: Shelves) -> None:
    entry = shelves.add()
    client, _ = signed_in("ada", Role.AUDITOR)
    assert client.get(LIST).status_code == 200
    assert client.get(f"{LIST}{entry.pk}/change/").status_code == 200
    assert client.post(f"{LIST}add/", form(shelves, tag="4")).status_code == 403
    client.post(LIST, {"action": "import_now", "_selected_action": [entry.pk]})
    assert ArchiveEntry.objects.count() == 1
    assert IntakeJob.objects.count() == 1


def test_an_entry_that_is_deleted_holds_nothing_any_more_and_deletes_nothing(shelves: Shelves, admin: Client) -> None:
    digest = shelves.publish()
    entry = shelves.add()
    bring_in(entry)
    assert Hold.objects.exists()
    answer = admin.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}, follow=True)
    assert "stays in archive" in answer.content.decode()
    assert not ArchiveEntry.objects.exists()
    assert not Hold.objects.exists()
    assert shelves.archive_server.tags["upstream/alpine"]["3.20"] == digest
    assert AuditEvent.objects.filter(verb="archiveentry.deleted").exists()


def test_deleting_an_entry_stops_its_copy(shelves: Shelves, admin: Client) -> None:
    shelves.publish()
    entry = shelves.add()
    turn(entry)
    admin.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"})
    assert CopyJob.objects.get().state == JobState.CANCELLED
