"""From a row in the admin to its page in the web portal."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from portal.admin_site import portal_places
from portal.web.addresses import repository_url, tag_url
from registries.access.explaining.question import question_of


def link_to_the_portal() -> None:
    """Tell the admin which rows have a page here."""
    portal_places.update(
        {
            "topology.registry": lambda row: _registry(row.name),
            "topology.registryhealth": _of_its_registry,
            "topology.zone": lambda row: reverse("web:zone", args=[row.name]),
            "access.namingrule": lambda row: reverse("web:naming-rule", args=[row.pk]),
            "access.namespace": lambda row: reverse("web:zone", args=[row.zone.name]),
            "sentinel.incident": lambda row: reverse("web:incident", args=[row.pk]),
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
            "access.denial": _explanation,
            "access.accessuse": _uses,
            "access.accessrequest": lambda row: reverse("web:access-request", args=[row.pk]),
            "access.robotaccount": lambda row: reverse("web:team-robot", args=[row.team.name, row.name]),
            "users.team": lambda row: reverse("web:team", args=[row.name]),
        }
    )


def _registry(name: str) -> str:
    return reverse("web:registry", args=[name])


def _of_its_registry(row: Any) -> str:
    return _registry(row.registry.name)


def _explanation(row: Any) -> str | None:
    asked = question_of(row)
    return f"{reverse('web:explain')}?{urlencode(asked)}" if asked else None


def _uses(row: Any) -> str:
    return f"{reverse('web:uses')}?{urlencode({'registry': row.registry.name, 'repository': row.repository})}"


def _passport(row: Any) -> str:
    return reverse("web:digest", args=[str(row.digest)])
