"""Nobody finds a ticket by trying: an allowance of wrong links for each address, as a pure rule."""

import ipaddress
from collections import OrderedDict

BURST = 20
"""Wrong links in a row before an address has to wait; a hall's guests may share one address."""
PER_SECOND = 1 / 6
"""How fast the allowance grows again."""
ADDRESSES_KEPT = 10_000
OPENED_KEPT = 50_000


def network_of(address: str) -> str:
    """What counts as one sender: an IPv4 address, or the /64 that an IPv6 address lies in."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class WrongTries:
    """``now`` is monotonic seconds. What an address has opened stays open to it while it has to wait,
    so that one person who plays with links takes the page from nobody beside them."""

    def __init__(self) -> None:
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._opened: OrderedDict[tuple[str, str], None] = OrderedDict()

    def seconds_to_wait(self, address: str, token: str, now: float) -> int:
        """0 when ``address`` may look up ``token``."""
        if (address, token) in self._opened:
            return 0
        over = self._level(address, now) - (BURST - 1)
        return -int(-over // PER_SECOND) if over > 0 else 0

    def right(self, address: str, token: str) -> None:
        """``token`` was a ticket's."""
        self._opened[address, token] = None
        self._opened.move_to_end((address, token))
        while len(self._opened) > OPENED_KEPT:
            self._opened.popitem(last=False)

    def wrong(self, address: str, now: float) -> None:
        """Nothing was there."""
        self._spent[address] = (self._level(address, now) + 1, now)
        self._spent.move_to_end(address)
        while len(self._spent) > ADDRESSES_KEPT:
            self._spent.popitem(last=False)

    def _level(self, address: str, now: float) -> float:
        spent, at = self._spent.get(address, (0.0, now))
        return max(0.0, spent - (now - at) * PER_SECOND)
