"""Nobody opens prod, or empties a sandbox, by redrawing the map."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from portal.users.models import User
from registries.topology.models import Credential, Registry, Zone, ZoneKind


def stand(name: str, kind: ZoneKind) -> Registry:
    zone, _ = Zone.objects.get_or_create(name=kind.value, kind=kind)
    return Registry.objects.create(
        name=name, zone=zone, base_url=f"https://{name}.example", host=f"{name}.example", service=name
    )


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [ZoneKind.PROD, ZoneKind.ARCHIVE, ZoneKind.SANDBOX])
def test_a_registry_does_not_leave_its_kind_of_zone(kind: ZoneKind) -> None:
    registry = stand("here", kind)
    registry.zone = Zone.objects.create(name="elsewhere", kind=ZoneKind.CI_SNAPSHOTS)
    with pytest.raises(ValidationError) as refusal:
        registry.full_clean()
    assert set(refusal.value.message_dict) == {"zone"}


@pytest.mark.django_db
def test_a_registry_may_go_to_another_zone_of_its_kind() -> None:
    registry = stand("here", ZoneKind.PROD)
    registry.zone = Zone.objects.create(name="prod-two", kind=ZoneKind.PROD)
    registry.full_clean()


@pytest.mark.django_db
def test_a_zone_with_registries_keeps_its_kind() -> None:
    zone = stand("here", ZoneKind.PROD).zone
    zone.kind = ZoneKind.SANDBOX
    with pytest.raises(ValidationError) as refusal:
        zone.full_clean()
    assert set(refusal.value.message_dict) == {"kind"}
    empty = Zone.objects.create(name="empty", kind=ZoneKind.PROD)
    empty.kind = ZoneKind.SANDBOX
    empty.full_clean()


@pytest.mark.django_db
def test_a_kept_secret_does_not_follow_to_another_address() -> None:
    """Nobody reads it in the portal; so nobody has it sent to a server of theirs either."""
    registry = stand("hub", ZoneKind.UPSTREAM)
    Credential.objects.create(registry=registry, username="us", secret="s3cret")
    client = Client()
    client.force_login(
        User.objects.create(username="root", email="root@example.com", is_superuser=True),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    form = {
        "name": "hub", "zone": registry.zone.pk, "product": "distribution", "base_url": "https://thief.example",
        "host": "hub.example", "service": "hub", "verify_tls": "on", "reach": "observed", "token_algorithm": "ES256",
        "username": "us", "new_secret": "",
    }  # fmt: skip
    page = client.post(f"/admin/topology/registry/{registry.pk}/change/", form)
    assert "given for another address" in page.content.decode()
    registry.refresh_from_db()
    assert registry.base_url == "https://hub.example"
    assert (
        client.post(f"/admin/topology/registry/{registry.pk}/change/", {**form, "new_secret": "x"}).status_code == 302
    )
