"""Slow down those who guess secrets: by account and network, and by network. Only what was wrong is counted, and a right secret is
taken whatever was counted, so that nobody can lock somebody else out.

The same wrong secret counts once in a minute: some clients show each one twice, and a job that was forgotten shows one for ever."""

import hashlib
import threading
from datetime import datetime
from typing import Final

from portal.networks import parse_address
from registries.access.counts.attempts import attempts_of, count_attempt, seconds_left
from registries.access.token_request import Sent

PER_ACCOUNT: Final = 10
PER_NETWORK: Final = 60
MAX_REMEMBERED: Final = 2000

_lock = threading.Lock()
_seen: dict[bytes, datetime] = {}


def slow_down(sent: Sent, address: str, now: datetime) -> int:
    """Seconds to wait after one more wrong secret; 0 while there were few."""
    network = network_of(address)
    minute = now.replace(second=0, microsecond=0)
    if _is_repeated(sent, network, minute):
        return 0
    by_account, by_network = _keys(sent, network)
    is_too_often = count_attempt(by_account, now) > PER_ACCOUNT
    # Counted whatever the other says, so that one does not hide the other.
    is_too_often |= count_attempt(by_network, now) > PER_NETWORK
    return seconds_left(now) if is_too_often else 0


def seconds_slowed(sent: Sent, address: str, now: datetime) -> int:
    """Seconds to wait before another secret is even looked at, 0 while few were wrong. For secrets whose check costs much; counts nothing."""
    by_account, by_network = _keys(sent, network_of(address))
    counted = attempts_of((by_account, by_network), now)
    is_too_often = counted.get(by_account, 0) >= PER_ACCOUNT or counted.get(by_network, 0) >= PER_NETWORK
    return seconds_left(now) if is_too_often else 0


def _keys(sent: Sent, network: str) -> tuple[str, str]:
    """What is counted: the account as seen from the network, and the network."""
    account = hashlib.sha256(sent.username.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"account:{account}@{network}", f"network:{network}"


def network_of(address: str) -> str:
    """What one customer or one office has: 256 addresses of IPv4, a /64 of IPv6."""
    parsed = parse_address(address)
    if parsed is None:
        return "unknown"
    kept = 3 if parsed.version == 4 else 8
    return f"{parsed.packed[:kept].hex()}/{kept * 8}"


def _is_repeated(sent: Sent, network: str, minute: datetime) -> bool:
    guess = hashlib.sha256(f"{network}\0{sent.username}\0{sent.secret}".encode("utf-8", "surrogatepass")).digest()
    with _lock:
        if _seen.get(guess) == minute:
            return True
        if len(_seen) >= MAX_REMEMBERED:
            _seen.clear()
        _seen[guess] = minute
    return False
