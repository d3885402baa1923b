"""Where can one go from every page?"""

from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.urls import reverse

from portal.roles import has_role
from portal.users.models import User
from portal.web.inbox_rows import waiting_count
from registries.access.asking.request_rights import waiting_for
from registries.access.reviewing.review import is_reviewer


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
# Pages that have no entry of their own.
BELOW = {"web:my-access": ("/access/", "/teams/", "/explain/", "/my/")}


def items_for(request: HttpRequest) -> tuple[Item, ...]:
    """The entries this person sees; the admin only for those who are let in there."""
    items = [_item(request, label, name, go) for label, name, go in PLACES]
    if has_role(request):
        items.append(Item("Admin", reverse("admin:index"), "d"))
    return tuple(items)


def access_tabs_for(request: HttpRequest) -> tuple[Item, ...]:
    """The pages about access beside each other; the review only for those it has something for."""
    if not isinstance(request.user, User):
        return ()
    waiting = waiting_for(request.user).count()
    tabs = [
        Item("My access", reverse("web:my-access")),
        Item("Requests", reverse("web:access-requests"), count=waiting),
        *([Item("Review", reverse("web:access-review"))] if is_reviewer(request.user) else []),
        Item("Teams", reverse("web:teams")),
        Item("Explain", reverse("web:explain")),
    ]
    return tuple(replace(tab, is_here=request.path == tab.address) for tab in tabs)


def _item(request: HttpRequest, label: str, name: str, go: str) -> Item:
    address = reverse(name)
    is_here = request.path == address or (address != "/" and request.path.startswith((address, *BELOW.get(name, ()))))
    count = waiting_count(request.user) if name == "web:inbox" else 0
    return Item(label, address, go, count, is_here)
