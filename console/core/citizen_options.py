"""What an operator sets for the citizens' side; filled from the console's settings."""

from dataclasses import dataclass
from typing import Literal

Serve = Literal["all", "staff", "citizens"]
"""Whose addresses a worker answers: a worker in the Internet's zone only citizens', one in the government's network only
the staff's."""
ADDRESS_PER_MINUTE = 3000
"""Generous: a whole hall's wireless net, or thousands of phones of one operator, share one address."""
BROWSER_PER_MINUTE = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenOptions:
    """Limits are requests a minute over all workers, 0: none. ``map_url`` is an address that shows a place, with {latitude},
    {longitude} (WGS 84) and {name}; empty: the phone's own map."""

    map_url: str = ""
    address_per_minute: int = ADDRESS_PER_MINUTE
    browser_per_minute: int = BROWSER_PER_MINUTE
