"""What is a credential good for: is it written rightly, is it within what another is good for, and how is it said in words?"""

import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from portal.globs import matches
from portal.networks import Network, parse_networks
from registries.access.credential.credentials import Narrowing
from registries.access.models import StoredSecret

ACTIONS: Final = ("pull", "push", "delete")
_GLOB = re.compile(r"[a-z0-9._/*?-]+", re.ASCII)
_WILD = re.compile(r"[*?]")
_OPEN: Final = ("", "**")


def narrowing_of(stored: StoredSecret) -> Narrowing:
    """As a value."""
    return Narrowing(stored.pattern, stored.actions, stored.registries, stored.networks)


def say_narrowing(narrowing: Narrowing) -> str:
    """In one line, for tables; empty where nothing is narrowed."""
    parts = [
        ", ".join(narrowing.actions.split(",")),
        "" if narrowing.pattern in _OPEN else narrowing.pattern,
        f"at {', '.join(narrowing.registries.split(','))}" if narrowing.registries else "",
        f"from {narrowing.networks}" if narrowing.networks else "",
    ]
    return " ".join(part for part in parts if part)


def glob_fault(pattern: str) -> str:
    """Why this can be no pattern of repositories; empty where it can."""
    if not pattern:
        return ""
    if not _GLOB.fullmatch(pattern):
        return (
            "Names of repositories have lower-case letters and digits with . _ - / between them; in a pattern * stops at a "
            "slash and ** does not. Leave registry, tag and digest out."
        )
    if pattern.startswith("/") or pattern.endswith("/") or "//" in pattern or "***" in pattern:
        return "No name of a repository fits this. Write for example payments/** or payments/api."
    return ""


def widened(wanted: Narrowing, held: Narrowing) -> Iterator[tuple[str, str]]:
    """Field and sentence for all in which ``wanted`` is good for more than ``held`` is, or may be: what is not surely within is wider."""
    if not _is_pattern_within(wanted.pattern, held.pattern):
        yield "pattern", f"{wanted.pattern or 'every repository'} is not surely within {held.pattern}"
    if not _is_list_within(wanted.actions, held.actions):
        yield "actions", f"{wanted.actions or 'every action'} is more than {held.actions}"
    if not _is_list_within(wanted.registries, held.registries):
        yield "registries", f"{wanted.registries or 'every registry'} is more than {held.registries}"
    if not _are_networks_within(wanted.networks, held.networks):
        yield "networks", f"{wanted.networks or 'anywhere'} is more than {held.networks}"


def _is_list_within(wanted: str, held: str) -> bool:
    return not held or (bool(wanted) and set(wanted.split(",")) <= set(held.split(",")))


def _is_pattern_within(wanted: str, held: str) -> bool:
    """Sure cases alone: the same, a plain name that it means, or something below a plain prefix."""
    if held in _OPEN or wanted == held:
        return True
    if not wanted:
        return False
    if not _WILD.search(wanted):
        return matches(held, wanted)
    prefix = held.removesuffix("/**")
    return prefix != held and not _WILD.search(prefix) and wanted.startswith(f"{prefix}/")


def _are_networks_within(wanted: str, held: str) -> bool:
    if not held:
        return True
    if not wanted:
        return False
    wider = parse_networks(held)
    return all(any(_is_part(network, other) for other in wider) for network in parse_networks(wanted))


def _is_part(network: Network, other: Network) -> bool:
    if isinstance(network, IPv4Network) and isinstance(other, IPv4Network):
        return network.subnet_of(other)
    return isinstance(network, IPv6Network) and isinstance(other, IPv6Network) and network.subnet_of(other)
