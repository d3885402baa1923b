"""Does a registry take a token? Asked with one token and no other credential, following it nowhere."""

from dataclasses import dataclass
from typing import Literal

from registries.adapters.base import Endpoint, open_client
from registries.oci.auth import OneToken
from registries.oci.backoff import Backoff
from registries.oci.errors import Denied, NotFound, RegistryError, Unauthorized
from registries.oci.transport import TransportOptions

Taken = Literal["accepted", "refused", "down"]


@dataclass(frozen=True)
class Reception:
    """What came of showing a token. `text` is the sentence of what went wrong, empty when it was accepted."""

    taken: Taken
    text: str = ""


def show_token(endpoint: Endpoint, token: str | None, *, timeout: float = 5.0) -> Reception:
    """GET /v2/ with this token, or with none: one try on a connection of its own, `timeout` in seconds; never raises.

    Accepted is a 200 and refused a 401 or 403. Anything else, a redirect among it, says nothing about the token."""
    options = TransportOptions(
        connect_timeout=timeout,
        read_timeout=timeout,
        verify_tls=endpoint.verify_tls,
        ca_bundle=endpoint.ca_bundle,
        backoff=Backoff(retries=0),
        follows_redirects=False,
    )
    bare = Endpoint(endpoint.url, OneToken(token), endpoint.verify_tls, endpoint.ca_bundle, name=endpoint.name)
    client = open_client(bare, options)
    try:
        client.ping()
    except (Unauthorized, Denied) as error:
        return Reception("refused", str(error))
    except NotFound:
        return Reception("down", f"{client.label}: something answers there, but it is not a registry")
    except RegistryError as error:
        return Reception("down", str(error))
    finally:
        client.close()
    return Reception("accepted")
