"""Whoever gives an address for webhooks reaches nobody inside by it."""

import asyncio
import socket
from unittest import mock

import pytest
from aiohttp import web

from console.core.delivering import DeliveryError
from console.core.outward import Outward, networks_of, permitted, url_fits

HOUSE = networks_of("10.20.0.0/16")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    ],
)  # fmt: skip
def test_no_address_of_a_house_is_permitted_in_whatever_dress(address: str) -> None:
    assert not permitted(address, ())


def test_public_addresses_and_what_the_operator_opened_are_permitted() -> None:
    assert permitted("1.1.1.1", ())
    assert permitted("2606:4700::1111", ())
    assert permitted("10.20.3.4", HOUSE)
    assert permitted("::ffff:10.20.3.4", HOUSE)
    assert not permitted("10.21.3.4", HOUSE)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https://user@example.com/", "//example.com/",
        "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://2130706433/", "https://0x7f.1/",
        "https://localhost/", "https://127.1/", "https://example.com/\r\nX: y", "https://例子.cn/", "https://a.b:0/",
        "https://a.b:99999/", "https://a.b/#x", "javascript:alert(1)", "https://a.b/" + "x" * 600,
    ],
)  # fmt: skip
def test_an_address_that_leads_inside_or_is_none_is_refused(url: str) -> None:
    assert not url_fits(url, ())


def test_an_address_outside_fits_and_one_of_the_house_where_the_operator_opened_it() -> None:
    assert url_fits("https://hooks.example.com:8443/a?b=c", ())
    assert url_fits("http://10.20.1.1:8080/", HOUSE)
    assert not url_fits("http://10.21.1.1:8080/", HOUSE)


async def test_a_name_that_leads_inside_is_refused_when_something_is_sent() -> None:
    """Also when only one of its addresses does, and whatever it led to when it was written down."""
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 443)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443)),
    ]
    loop = asyncio.get_running_loop()
    with (
        mock.patch.object(loop, "getaddrinfo", mock.AsyncMock(return_value=found)),
        pytest.raises(DeliveryError) as refused,
    ):
        await Outward().post("https://hooks.example.com/", b"{}", {})
    assert refused.value.lasting
    assert "1.1.1.1" not in refused.value.reason


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    asked = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    app = web.Application()
    app.router.add_post("/{any:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        outward = Outward(networks_of("127.0.0.0/8"))
        assert await outward.post(f"http://127.0.0.1:{port}/here", b"{}", {}) == 302
        assert asked == ["/here"]
    finally:
        await runner.cleanup()
