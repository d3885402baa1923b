"""Keep, rename or forget what we use toward a registry that does not trust our tokens."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from registries.topology.models import Credential, Registry


def keep_credential(registry: Registry, username: str, secret: str = "") -> None:
    """An empty secret leaves the present one, an empty name forgets both. Raises ValidationError for a name without any secret."""
    known = Credential.objects.filter(registry=registry)
    if not username:
        known.delete()
    elif secret:
        Credential.objects.update_or_create(registry=registry, defaults={"username": username, "secret": secret})
    elif not known.update(username=username, changed_at=timezone.now()):
        raise ValidationError(
            {"username": "No secret is kept for this name; give one beside it (in a topology file: secret_file)."}
        )
