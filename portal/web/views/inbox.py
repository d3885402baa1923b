"""What waits for me?"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from portal.panels import panels_for
from portal.users.models import User
from portal.web.inbox_rows import asked_by
from portal.web.viewer import for_people


@for_people
def show_inbox(request: HttpRequest, user: User) -> HttpResponseBase:
    """What every part has for this person, and what of theirs is on its way."""
    return render(request, "web/inbox.html", {"panels": panels_for("inbox", user), "mine": asked_by(user)})
