"""Where staff may log in from: an account with networks of its own is held to them, everybody else to the common ones."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.modules.identity.networks import (
    Network,
    may_come_from,
    may_try_from,
    read_network,
)
from qingting.contract.errors import Refusal

ADDRESSES = st.ip_addresses(v=4).map(str)


def of(network: str, account: str = "") -> Network:
    return Network(no=1, network=network, account=account)


@given(ADDRESSES, ADDRESSES, st.integers(1, 32))
def test_an_address_is_within_a_network_as_the_standard_library_says(
    address: str, base: str, bits: int
) -> None:
    network = read_network(f"{base}/{bits}")
    within = ip_address(address) in ip_network(network)
    assert may_come_from([of(network)], "a", address) is within
    assert may_come_from([of(network)], "a", f"::ffff:{address}") is within


@given(ADDRESSES)
def test_without_a_list_everywhere_is_allowed_and_with_one_nonsense_is_nowhere(
    address: str,
) -> None:
    assert may_come_from([], "a", address)
    assert may_come_from([], "a", "")
    for nonsense in ("", "unknown", "10.0.0.1:80", "10.0.0"):
        assert not may_come_from([of("10.0.0.0/8")], "a", nonsense)


def test_networks_of_an_account_stand_instead_of_the_common_ones() -> None:
    known = [of("10.0.0.0/8"), of("192.0.2.7/32", "keeper")]
    assert may_come_from(known, "keeper", "192.0.2.7")
    assert not may_come_from(known, "keeper", "10.0.0.1")
    assert may_come_from(known, "other", "10.0.0.1")
    assert not may_come_from(known, "other", "192.0.2.7")
    assert may_try_from(known, "192.0.2.7")
    assert not may_try_from(known, "198.51.100.1")


@pytest.mark.parametrize(
    "text", ["", "0.0.0.0/0", "::/0", "10.0.0.0/33", "here", "::ffff:10.0.0.1"]
)
def test_what_is_no_network_or_all_there_are_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match=r"network\.wrong"):
        read_network(text)
