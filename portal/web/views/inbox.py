"""What waits for me?"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from portal.panels import panels_for
from portal.users.models import User
from portal.web.inbox_rows import asked_by, waiting_for
from portal.web.viewer import for_people


@for_people
def show_inbox(request: HttpRequest, user: User) -> HttpResponseBase:
    """Requests to decide, what of mine is on its way, and whatever other parts have for me."""
    context = {
        "waiting": waiting_for(user).prefetch_related("items").order_by("created_at"),
        "mine": asked_by(user).prefetch_related("items").order_by("-id"),
        "panels": panels_for("inbox", user),
    }
    return render(request, "web/inbox.html", context)
