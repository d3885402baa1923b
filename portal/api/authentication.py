"""Who calls the API? A personal token or a robot secret as bearer token, else the browser's session."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request


class SecretAuthentication(BaseAuthentication):
    """``Authorization: Bearer <secret>``."""

    def authenticate(self, request: Request) -> None:
        return None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="portreeve"'
