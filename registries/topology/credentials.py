"""Keep, rename or forget what we use toward a registry that does not trust our tokens."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from registries.topology.models import Credential, Registry


def keep_credential(registry: Registry, username: str, secret: str = "") -> None:
    """An empty secret leaves the present one, an empty name forgets both. Raises ValidationError for a name without any secret."""
    known = Credential.objects.filter(registry=registry)
    # Without reading what is there: its key may be gone, which is one reason to give another.
    values = {"username": username, "changed_at": timezone.now()} | ({"secret": secret} if secret else {})
    if not username:
        known.defer("secret").delete()
    elif not known.update(**values):
        if not secret:
            sentence = "No secret is kept for this name; give one beside it (in a topology file: secret_file)."
            raise ValidationError({"username": sentence})
        Credential.objects.create(registry=registry, username=username, secret=secret)
