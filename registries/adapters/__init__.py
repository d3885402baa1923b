"""Which makes of registry do we know, and what is each one's way?"""

from collections.abc import Mapping

from registries.adapters.base import Adapter, Capabilities, Endpoint
from registries.adapters.distribution import DistributionAdapter
from registries.adapters.generic import GenericAdapter
from registries.adapters.health import Health, Look, look, probe
from registries.adapters.trust import Reception, show_token

ADAPTERS: Mapping[str, Adapter] = {
    adapter.name: adapter
    for adapter in (
        DistributionAdapter(),
        GenericAdapter(),
    )
}

__all__ = [
    "ADAPTERS", "Adapter", "Capabilities", "Endpoint", "Health", "Look", "Reception", "look", "probe", "show_token",
]  # fmt: skip
