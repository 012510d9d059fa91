"""Networks that staff may log in from (地址白名单, standards.md C1 item 11), as pure rules.

An account with networks of its own is held to them; everybody else to the common ones. Without any, one may come from
everywhere.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qingting.contract.errors import Refusal

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
MOST = 200
LONGEST_NOTE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """``account`` empty: for everybody who has none of the own."""

    no: int
    network: str
    account: str
    note: str = ""


def read_network(text: str) -> str:
    """An address or a network (CIDR) in its one form. Raises ``network.wrong``, also for all addresses at once."""
    try:
        found = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise Refusal("network.wrong") from error
    if found.prefixlen == 0 or _is_mapped(found):
        raise Refusal("network.wrong")
    return str(found)


def _is_mapped(network: IPNetwork) -> bool:
    """IPv4 written as IPv6: such an address is looked at as IPv4, so it would never be found."""
    return isinstance(network, ipaddress.IPv6Network) and (
        network.network_address.ipv4_mapped is not None
    )


def may_come_from(networks: Sequence[Network], account: str, address: str) -> bool:
    """Whether an account may be used at ``address``."""
    own = [one.network for one in networks if one.account == account]
    held = own or [one.network for one in networks if not one.account]
    return not held or _within(held, address)


def may_try_from(networks: Sequence[Network], address: str) -> bool:
    """Whether anybody may log in at ``address``: elsewhere no password is looked at, and none can be guessed."""
    common = [one.network for one in networks if not one.account]
    own = [one.network for one in networks if one.account]
    return not common or _within(common, address) or _within(own, address)


def _within(networks: Iterable[str], address: str) -> bool:
    try:
        at = ipaddress.ip_address(address)
    except ValueError:
        return False  # a header that names no address is nowhere
    if isinstance(at, ipaddress.IPv6Address) and at.ipv4_mapped is not None:
        at = at.ipv4_mapped
    return any(at in ipaddress.ip_network(one) for one in networks)


def note_of(networks: Sequence[Network], address: str) -> str:
    """What is noted about the smallest common network that an address is in; empty for none."""
    common = (one for one in networks if one.note and not one.account)
    fitting = [one for one in common if _within([one.network], address)]
    found = max(fitting, key=lambda one: ipaddress.ip_network(one.network).prefixlen, default=None)
    return "" if found is None else found.note
