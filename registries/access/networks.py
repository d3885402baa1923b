"""Networks as people write them into rules and credentials: checked when they are written."""

from django.core.exceptions import ValidationError

from portal.networks import parse_networks

NETWORKS_HELP = "Where the client is, such as 10.0.0.0/8, 2001:db8::/32; empty means anywhere."


def validate_networks(text: str) -> None:
    """Raises ValidationError with the word that is no network."""
    try:
        parse_networks(text)
    except ValueError as error:
        raise ValidationError(f"{error}. Write networks such as 10.0.0.0/8, with commas between them.") from error
