"""Home: what do we have, how does an image travel, is anything wrong right now?"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from portal.panels import panels_for
from portal.users.models import User
from portal.web.attention import attention_rows
from portal.web.map_columns import columns_of
from portal.web.map_layout import lay_out
from portal.web.map_rows import load_map
from portal.web.moves import last_moves
from portal.web.viewer import for_people


@for_people
def show_map(request: HttpRequest, user: User) -> HttpResponseBase:
    """The whole page."""
    return render(request, "web/home.html", _map_context() | _side_context(user))


@for_people
def map_fragment(request: HttpRequest, user: User) -> HttpResponseBase:
    """The picture alone, for the live refresh."""
    return render(request, "web/map.html", _map_context())


@for_people
def moves_fragment(request: HttpRequest, user: User) -> HttpResponseBase:
    """What needs attention and what moved last, for the live refresh."""
    return render(request, "web/home_side.html", _side_context(user))


def _map_context() -> dict[str, object]:
    model = load_map()
    return {"model": model, "layout": lay_out(model), "columns": columns_of(model)}


def _side_context(user: User) -> dict[str, object]:
    return {"attention": attention_rows(user), "panels": panels_for("attention", user), "moves": last_moves(user, 9)}
