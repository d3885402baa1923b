"""Which token do we hold, and is it still good for this request?"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from registries.oci.scope import Scope

MIN_TTL_SECONDS = 30.0
_MAX_KEPT = 1000


@dataclass(frozen=True)
class MintedToken:
    """`expires_at_monotonic` is on the clock of time.monotonic(), in seconds."""

    token: str = field(repr=False)
    expires_at_monotonic: float


@dataclass
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    token: MintedToken | None = None
    life: float = 0.0


class TokenCache:
    """Tokens by scope set, one fetch at a time for each set: many threads that start together cost one token."""

    def __init__(self, min_ttl: float = MIN_TTL_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._min_ttl = min_ttl
        self._clock = clock
        self._slots: OrderedDict[tuple[Scope, ...], _Slot] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[Scope, ...], fetch: Callable[[], MintedToken], rejected: str | None = None) -> str:
        """A token with enough life left that is not the one just `rejected`."""
        slot = self._slot(key)
        with slot.lock:
            if slot.token is None or slot.token.token == rejected or not self._is_fresh(slot):
                slot.token = fetch()
                slot.life = slot.token.expires_at_monotonic - self._clock()
            return slot.token.token

    def _is_fresh(self, slot: _Slot) -> bool:
        # Half of its life is the limit for short-lived ones, or a token of 30 s would be fetched for each request.
        left = slot.token.expires_at_monotonic - self._clock() if slot.token else 0.0
        return left > 0 and left >= min(self._min_ttl, slot.life / 2)

    def _slot(self, key: tuple[Scope, ...]) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > _MAX_KEPT:
                self._slots.popitem(last=False)
            return slot
