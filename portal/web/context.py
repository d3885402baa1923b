"""What every page of the web portal knows."""

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, object]:
    """Version and address of this portal, whom to ask, and whether people come in by a provider alone."""
    return {
        "portal_version": settings.PORTAL_VERSION,
        "portal_base_url": settings.PORTAL_BASE_URL,
        "portal_contact": settings.PORTAL_CONTACT,
        "portal_oidc_only": settings.PORTAL_OIDC_ONLY,
    }
