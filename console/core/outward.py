"""Requests to addresses that other people gave: only where nobody inside is reached by it (server-side request forgery).

A name is resolved once; if any of its addresses is not public, nothing is sent; the connection goes to what was checked. The
operator names networks of the own house that may be reached all the same.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from console.core.delivering import SEND_SECONDS, DeliveryError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST_URL = 500
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_BLOCKED = "address refused"


def networks_of(text: str) -> tuple[Network, ...]:
    """Networks parted by commas; ``ValueError`` for what is none."""
    return tuple(ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip())


def permitted(address: str, networks: Sequence[Network]) -> bool:
    """True for a public address, and for one in ``networks``. An address within another (mapped, 6to4, Teredo,
    NAT64) is judged by the one within too."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = _within(found)
    if any(one in network for one in (found, *mapped) for network in networks):
        return True
    return all(one.is_global and not one.is_multicast for one in (found, *mapped))


def _within(found: Address) -> list[Address]:
    if isinstance(found, ipaddress.IPv4Address):
        return []
    inner: list[Address] = []
    if found.ipv4_mapped is not None:
        inner.append(found.ipv4_mapped)
    if found.sixtofour is not None:
        inner.append(found.sixtofour)
    if found.teredo is not None:
        inner.append(found.teredo[1])
    if found in _NAT64:
        inner.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
    return inner


def url_fits(url: str, networks: Sequence[Network]) -> bool:
    """True for an address that events may be posted to: https, or http where the operator opened networks of the
    own house; without a user, and no address that is not permitted. A name is looked at when something is sent."""
    if len(url) > LONGEST_URL or not url.isascii() or any(one <= " " for one in url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    fits = parts.scheme == "https" or (parts.scheme == "http" and bool(networks))
    if not fits or not host or "@" in parts.netloc or port == 0 or parts.fragment:
        return False
    try:
        return permitted(host, networks)
    except ValueError:
        # A name: digits alone would be an address in disguise (0x7f.1, 2130706433).
        return (
            "." in host
            and not host.rpartition(".")[2].isdigit()
            and "x" not in host.rpartition(".")[2][:2]
        )


@dataclass(frozen=True, slots=True)
class Outward:
    """Posts to addresses of others. ``networks``: of the own house, opened by the operator."""

    networks: tuple[Network, ...] = ()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer, of which nothing else is read; redirects are not followed. Raises
        :class:`console.core.delivering.DeliveryError`, a lasting one for an address that is not permitted."""
        if not url_fits(url, self.networks):
            raise DeliveryError(_BLOCKED, lasting=True)
        timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
        connector = aiohttp.TCPConnector(resolver=_Checked(self.networks), use_dns_cache=False)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, connector=connector) as http,
                http.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            if _refused(error):
                raise DeliveryError(_BLOCKED, lasting=True) from error
            raise DeliveryError(type(error).__name__) from error


class _RefusedError(OSError):
    """A name that leads to an address which is not permitted."""


def _refused(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, _RefusedError):
            return True
        error = error.__cause__ or error.__context__
    return False


class _Checked(AbstractResolver):
    """Resolves a name and checks all that it leads to; the connection then uses this very answer."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, family=family
        )
        addresses = [(str(one[4][0]), one[0]) for one in found]
        if not addresses or not all(permitted(one, self._networks) for one, _ in addresses):
            raise _RefusedError(_BLOCKED)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address, kind in addresses
        ]

    async def close(self) -> None:
        """Keeps nothing."""
