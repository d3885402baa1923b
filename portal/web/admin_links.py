"""From a row in the admin to its page in the web portal."""

from typing import Any

from django.urls import reverse

from portal.admin_site import portal_places
from portal.web.addresses import repository_url, tag_url


def link_to_the_portal() -> None:
    """Tell the admin which rows have a page here."""
    portal_places.update(
        {
            "topology.registry": lambda row: _registry(row.name),
            "topology.registryhealth": _of_its_registry,
            "catalog.registrysyncstate": _of_its_registry,
            "catalog.repository": repository_url,
            "catalog.tag": lambda row: tag_url(row.repository, row.name),
            "catalog.manifest": _passport,
            "catalog.hold": _passport,
            "catalog.placement": lambda row: _passport(row.manifest),
            "replication.delivery": _passport,
            "archive.archiveentry": lambda row: _passport(row) if row.digest else _registry(row.archive.name),
            "copies.copyjob": _passport,
            "promotions.promotionrequest": lambda row: reverse("web:promotion", args=[row.public_id]),
            "promotions.promotionitem": _passport,
            "retention.planitem": _passport,
            "access.accessrequest": lambda row: reverse("web:access-request", args=[row.pk]),
            "access.robotaccount": lambda row: reverse("web:team-robot", args=[row.team.name, row.name]),
            "users.team": lambda row: reverse("web:team", args=[row.name]),
        }
    )


def _registry(name: str) -> str:
    return reverse("web:registry", args=[name])


def _of_its_registry(row: Any) -> str:
    return _registry(row.registry.name)


def _passport(row: Any) -> str:
    return reverse("web:digest", args=[str(row.digest)])
