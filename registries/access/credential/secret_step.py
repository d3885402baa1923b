"""The step in which somebody asks for a secret and is shown it, whichever face shows the page: the admin, the web portal, the pages of
teams. Whether the person may is the face's to ask first; for robots see :func:`registries.access.robots.check_may_issue`."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from portal.http.client_address import client_address
from portal.users.models import User
from registries.access.credential.credential_rotation import replace_secret, same_again
from registries.access.credential.issuing import Issued, IssueRefusedError, Owner, issue_wanted
from registries.access.credential.secret_form import (
    LIVES_OF_PEOPLE,
    LIVES_OF_ROBOTS,
    OnceForm,
    ReplaceForm,
    SecretForm,
)
from registries.access.credential.secret_state import Stored
from registries.access.models import RobotAccount, Secret


@dataclass(frozen=True, slots=True)
class Step:
    """The form to show with its ``status``, or, once, what was ``issued``. An answer with it must not be stored anywhere."""

    form: OnceForm
    status: int = 200
    issued: Issued | None = None

    def context(self) -> dict[str, Any]:
        """For templates: ``form``, and after the step ``secret`` and ``stored``."""
        if self.issued is None:
            return {"form": self.form}
        return {"form": self.form, "secret": self.issued.text, "stored": self.issued.stored}


@sensitive_variables("issued")
def issue_step(request: HttpRequest, user: User, owner: Owner, widget_class: str = "") -> Step:
    """GET asks, POST issues to ``owner`` what ``user`` filled in, and shows it to them."""
    is_robot = isinstance(owner, RobotAccount)
    form = new_form(request, owner, _sent(request))
    form.dress(widget_class)
    if not form.is_valid():
        return Step(form, 400 if form.is_bound else 200)
    try:
        issued = issue_wanted(user.actor, owner, form.wanted(timezone.now()), user if is_robot else None)
    except IssueRefusedError as refusal:
        return _refused(form, refusal)
    return Step(form, 200, issued)


def new_form(request: HttpRequest, owner: Owner, sent: Any = None) -> SecretForm:
    """The form in which a secret of ``owner`` is asked for, empty where nothing was sent."""
    is_robot = isinstance(owner, RobotAccount)
    return SecretForm(
        sent,
        address=client_address(request),
        lives=LIVES_OF_ROBOTS if is_robot else LIVES_OF_PEOPLE,
        example="the CI of payments" if is_robot else "laptop",
    )


@sensitive_variables("issued")
def replace_step(request: HttpRequest, user: User, old: Stored, widget_class: str = "") -> Step:
    """GET asks how long the old one goes on, POST puts another in its place and shows it to ``user``."""
    is_robot = isinstance(old, Secret)
    form = ReplaceForm(_sent(request), old=old, lives=LIVES_OF_ROBOTS if is_robot else LIVES_OF_PEOPLE)
    form.dress(widget_class)
    if not form.is_valid():
        return Step(form, 400 if form.is_bound else 200)
    now = timezone.now()
    wanted = same_again(old, now, expires_at=form.end(now), once=form.cleaned_data["once"])
    try:
        issued = replace_secret(user.actor, old, wanted, form.overlap_time(), user if is_robot else None)
    except IssueRefusedError as refusal:
        return _refused(form, refusal)
    old.refresh_from_db()
    return Step(form, 200, issued)


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _refused(form: OnceForm, refusal: IssueRefusedError) -> Step:
    """What was typed is kept, and may be sent once more."""
    form.add_error(None, str(refusal))
    form.renew()
    return Step(form, 409)
