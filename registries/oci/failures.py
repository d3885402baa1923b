"""What does a broken connection mean? Exceptions of the HTTP library turned into our errors."""

import re
import socket

import requests
from urllib3 import exceptions as broken

from registries.oci.errors import Dropped, RegistryError, TlsFailed, Unreachable

# What reading an answer's body may raise, below requests.
READ_FAILURES = (broken.HTTPError, OSError)


def error_of_request(who: str, about: str, failure: Exception) -> RegistryError:
    """The error of a request that got no answer."""
    start = f"{who}: {about}:"
    if isinstance(failure, ValueError):
        return RegistryError(f"{start} there is no such address ({str(failure)[:120]})")
    if isinstance(failure, requests.exceptions.SSLError):
        return TlsFailed(f"{start} no trusted TLS connection ({_tls_reason(failure)})")
    if isinstance(failure, requests.exceptions.ConnectTimeout):
        return Unreachable(f"{start} it could not be reached in time")
    if isinstance(failure, requests.exceptions.Timeout):
        return Unreachable(f"{start} it took too long to answer")
    cause = _cause(failure)
    if isinstance(cause, broken.NewConnectionError):
        return Unreachable(f"{start} it cannot be reached ({_connect_reason(cause)})")
    if isinstance(cause, broken.ProtocolError | OSError):
        return Dropped(f"{start} the connection was cut")
    return Unreachable(f"{start} the request failed ({type(cause).__name__})")


def error_of_read(who: str, about: str, failure: Exception) -> RegistryError:
    """The error of an answer whose body did not arrive whole."""
    if isinstance(failure, broken.ReadTimeoutError | TimeoutError):
        return Dropped(f"{who}: {about}: the answer stopped coming in")
    return Dropped(f"{who}: {about}: the connection was cut")


def _cause(failure: Exception) -> object:
    """requests wraps what urllib3 wraps what the socket said."""
    inner = failure.args[0] if failure.args else failure
    return inner.reason if isinstance(inner, broken.MaxRetryError) else inner


def _connect_reason(failure: broken.NewConnectionError) -> str:
    cause = failure.__cause__
    if isinstance(failure, broken.NameResolutionError) or isinstance(cause, socket.gaierror):
        return "its name does not resolve"
    if isinstance(cause, ConnectionRefusedError):
        return "nothing listens there"
    return str(cause or failure)[:120]


def _tls_reason(failure: Exception) -> str:
    found = re.search(r"certificate verify failed: ([^(]+)", str(failure))
    return found[1].strip() if found else "the TLS handshake failed"
