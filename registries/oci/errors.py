"""What can go wrong at a registry: one class per outcome a caller may act on, each with a code and a plain sentence."""

from typing import ClassVar


class RegistryError(Exception):
    """A registry did not do what was asked.

    `code` is for machines, `str()` is a sentence for people, `is_retryable` says whether the same
    request may work later, `status` is the HTTP status if there was an answer, and `codes` are the
    error codes the registry itself gave (spec "Error Codes").
    """

    code: ClassVar[str] = "invalid"
    is_retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, status: int | None = None, codes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.codes = codes


class Unreachable(RegistryError):
    """No answer: the name does not resolve, the port is closed, or it took too long."""

    code = "unreachable"
    is_retryable = True


class TlsFailed(Unreachable):
    """The certificate is not trusted, or TLS is not spoken there: another try changes nothing."""

    code = "tls_failed"
    is_retryable = False


class NotFound(RegistryError):
    code = "not_found"


class Unauthorized(RegistryError):
    """The registry does not accept our credential, or wants one that we do not have."""

    code = "unauthorized"


class Denied(RegistryError):
    """The credential is good and the right is missing."""

    code = "denied"


class RateLimited(RegistryError):
    """Too many requests. `retry_after` is in seconds, None when the registry did not say."""

    code = "rate_limited"
    is_retryable = True

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        codes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, status=status, codes=codes)
        self.retry_after = retry_after


class DigestMismatch(RegistryError):
    """Content and digest do not belong together: never retried blindly."""

    code = "digest_mismatch"


class NotARegistry(RegistryError):
    """Something answers there, but not as a registry: a web page, or JSON of another shape."""

    code = "not_a_registry"


class ServerError(RegistryError):
    code = "server_error"
    is_retryable = True


class Unsupported(RegistryError):
    """This registry cannot do it, or has it switched off."""

    code = "unsupported"


class TooLarge(RegistryError):
    """A body over what the registry, a proxy before it, or we ourselves accept."""

    code = "too_large"


class Dropped(RegistryError):
    """The connection was cut in the middle."""

    code = "dropped"
    is_retryable = True


class Incomplete(RegistryError):
    """Read back after a copy, and something is missing."""

    code = "incomplete"
    is_retryable = True


class TagMoved(RegistryError):
    """A tag does not point where the caller said it would: somebody else moved it."""

    code = "tag_moved"


class Cancelled(RegistryError):
    code = "cancelled"
