"""Home: what do we have, how does an image travel, is anything wrong right now?"""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.web.attention import attention_rows
from portal.web.map_columns import columns_of
from portal.web.map_layout import lay_out
from portal.web.map_rows import load_map
from portal.web.moves import last_moves


@login_required
def show_map(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    return render(request, "web/home.html", _map_context() | _side_context(request))


@login_required
def map_fragment(request: HttpRequest) -> HttpResponse:
    """The picture alone, for the live refresh."""
    return render(request, "web/map.html", _map_context())


@login_required
def moves_fragment(request: HttpRequest) -> HttpResponse:
    """What needs attention and what moved last, for the live refresh."""
    return render(request, "web/home_side.html", _side_context(request))


def _map_context() -> dict[str, object]:
    model = load_map()
    return {"model": model, "layout": lay_out(model), "columns": columns_of(model)}


def _side_context(request: HttpRequest) -> dict[str, object]:
    return {"attention": attention_rows(request.user), "moves": last_moves(9)}
