"""Who calls the API? A personal token or a robot secret as bearer token, else the browser's session."""

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from portal.api.callers import RobotUser
from portal.users.models import User
from registries.access.credentials import prove
from registries.access.models import RobotAccount, StoredSecret


class SecretAuthentication(BaseAuthentication):
    """``Authorization: Bearer <secret>``."""

    def authenticate(self, request: Request) -> tuple[User | RobotUser, StoredSecret] | None:
        """One sentence for every bad secret: which part of it was wrong is nobody's business."""
        scheme, _, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        proved = prove(None, secret.strip(), timezone.now())
        if proved is None:
            raise AuthenticationFailed("This secret is not known, has expired, or was revoked.", "bad_secret")
        subject = proved.subject
        return (RobotUser(subject) if isinstance(subject, RobotAccount) else subject), proved.stored

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="portreeve"'
