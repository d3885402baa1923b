"""Who calls the API? A personal token or a robot secret as bearer token, else the browser's session."""

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from portal.api.callers import RobotUser
from portal.http.client_address import client_address
from portal.http.problem import Problem
from portal.networks import lies_in, parse_networks
from portal.users.models import User
from registries.access.credential.credentials import Proved, prove
from registries.access.models import PersonalToken, RobotAccount, StoredSecret


class SecretAuthentication(BaseAuthentication):
    """``Authorization: Bearer <secret>``."""

    def authenticate(self, request: Request) -> tuple[User | RobotUser, StoredSecret] | None:
        """One sentence for every bad secret: which part of it was wrong is nobody's business."""
        scheme, _, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        address = client_address(request)
        proved = prove(None, secret.strip(), timezone.now(), address)
        if proved is None:
            raise AuthenticationFailed("This secret is not known, has expired, or was revoked.", "bad_secret")
        self._hold_to(proved, address, is_reading=request.method in SAFE_METHODS)
        subject = proved.subject
        return (RobotUser(subject) if isinstance(subject, RobotAccount) else subject), proved.stored

    def _hold_to(self, proved: Proved, address: str, *, is_reading: bool) -> None:
        """Raises Problem where the credential was made for less."""
        stored = proved.stored
        if stored.networks and not lies_in(address, parse_networks(stored.networks)):
            raise Problem(
                403, "wrong_network", f"This credential is good from {stored.networks} alone, not from {address}."
            )
        is_narrow = bool(stored.pattern or stored.actions or stored.registries)
        if isinstance(stored, PersonalToken) and is_narrow and not is_reading:
            text = "This token is good for some repositories, actions or registries alone; at the API it only reads."
            raise Problem(403, "narrow_credential", f"{text} Use one that is not narrowed.")

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="portreeve"'
