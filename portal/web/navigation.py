"""Where can one go from every page?"""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from portal.roles import has_role
from portal.web.inbox_rows import waiting_count


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the main navigation. ``go`` is its key after "g"."""

    label: str
    address: str
    go: str = ""
    count: int = 0
    is_here: bool = False


PLACES = (
    ("Map", "web:map", "m"),
    ("Registries", "web:registries", "r"),
    ("Repositories", "web:repositories", "b"),
    ("Promotions", "web:promotions", "p"),
    ("Incidents", "web:incidents", "n"),
    ("Inbox", "web:inbox", "i"),
    ("My access", "web:my-access", "a"),
)


def items_for(request: HttpRequest) -> tuple[Item, ...]:
    """The entries this person sees; the admin only for those who are let in there."""
    items = [_item(request, label, name, go) for label, name, go in PLACES]
    if has_role(request):
        items.append(Item("Admin", reverse("admin:index"), "d"))
    return tuple(items)


def _item(request: HttpRequest, label: str, name: str, go: str) -> Item:
    address = reverse(name)
    is_here = request.path == address or (address != "/" and request.path.startswith(address))
    count = waiting_count(request.user) if name == "web:inbox" else 0
    return Item(label, address, go, count, is_here)
