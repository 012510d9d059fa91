"""One contract for every line: serial by both libraries, TCP and the null modem."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import pytest
from patience import HANG_S

from hallserver.devices.errors import DeviceConfigError
from hallserver.devices.transports.null import listen_null
from hallserver.devices.transports.opening import LineSettings, open_transport, parse_line_url
from qingting.kernel.aio.pipe import NullModemEnd, PipeClosedError


class FarEnd(Protocol):
    """The device's side of a line."""

    url: str

    async def send(self, data: bytes) -> None: ...

    async def receive(self, count: int) -> bytes: ...

    async def unplug(self) -> None: ...


class PtyEnd:
    def __init__(self, driver: str) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.url = f"serial://{os.ttyname(slave)}?baud=115200&driver={driver}"
        os.close(slave)
        self.open = True

    async def send(self, data: bytes) -> None:
        os.write(self.master, data)

    async def receive(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            await asyncio.sleep(0.002)
            with contextlib.suppress(BlockingIOError):
                got += os.read(self.master, count - len(got))
        return got

    async def unplug(self) -> None:
        if self.open:
            self.open = False
            os.close(self.master)


class TcpEnd:
    def __init__(self) -> None:
        self.url = ""
        self._server: asyncio.Server | None = None
        self._streams: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        self._streams = asyncio.Queue()
        self._current: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(
            lambda reader, writer: self._streams.put_nowait((reader, writer)), "127.0.0.1", 0
        )
        self.url = f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._current is None:
            self._current = await self._streams.get()
        return self._current

    async def send(self, data: bytes) -> None:
        (await self._line())[1].write(data)

    async def receive(self, count: int) -> bytes:
        return await (await self._line())[0].readexactly(count)

    async def unplug(self) -> None:
        assert self._server is not None
        self._server.close()
        while not self._streams.empty():
            self._streams.get_nowait()[1].close()
        if self._current is not None:
            self._current[1].close()


class NullEnd:
    def __init__(self) -> None:
        self.url = "null://contract"
        self._got = bytearray()
        self._end: NullModemEnd | None = None
        self._stop = listen_null("contract", self._plugged)

    def _plugged(self, end: NullModemEnd) -> None:
        self._end = end
        end.on_data(self._got.extend)

    async def send(self, data: bytes) -> None:
        assert self._end is not None
        await self._end.write(data)

    async def receive(self, count: int) -> bytes:
        while len(self._got) < count:  # noqa: ASYNC110 - a test double without events
            await asyncio.sleep(0.001)
        data = bytes(self._got[:count])
        del self._got[:count]
        return data

    async def unplug(self) -> None:
        self._stop()
        if self._end is not None:
            self._end.unplug(OSError(5, "gone"))


@asynccontextmanager
async def far_end(kind: str) -> AsyncIterator[FarEnd]:
    end: FarEnd
    if kind == "tcp":
        end = tcp = TcpEnd()
        await tcp.listen()
    else:
        end = NullEnd() if kind == "null" else PtyEnd(kind)
    try:
        yield end
    finally:
        await end.unplug()


@pytest.fixture(params=["serialx", "pyserial", "tcp", "null"])
async def far(request: pytest.FixtureRequest) -> AsyncIterator[FarEnd]:
    async with far_end(request.param) as end:
        yield end


def collector() -> tuple[bytearray, Callable[[bytes], None]]:
    got = bytearray()
    return got, got.extend


async def arrived(got: bytearray, count: int) -> None:
    async with asyncio.timeout(HANG_S):
        while len(got) < count:  # noqa: ASYNC110 - a plain buffer tells nobody
            await asyncio.sleep(0.002)


async def test_bytes_pass_unchanged_both_ways(far: FarEnd) -> None:
    everything = bytes(range(256)) * 4
    pipe = await open_transport(far.url, LineSettings(baud=115200))
    got, sink = collector()
    pipe.on_data(sink)
    await pipe.write(everything)
    assert await far.receive(len(everything)) == everything
    await far.send(everything)
    await arrived(got, len(everything))
    assert bytes(got) == everything
    await pipe.close()


async def test_what_arrives_before_somebody_listens_is_kept(far: FarEnd) -> None:
    pipe = await open_transport(far.url, LineSettings(baud=115200))
    await far.send(b"early")
    await asyncio.sleep(0.05)
    got, sink = collector()
    pipe.on_data(sink)
    await far.send(b" and late")
    await arrived(got, 14)
    assert bytes(got) == b"early and late"
    await pipe.close()


async def test_an_unplug_is_told_once_and_writing_fails(far: FarEnd) -> None:
    pipe = await open_transport(far.url, LineSettings(baud=115200))
    closed: asyncio.Queue[Exception | None] = asyncio.Queue()
    pipe.on_data(lambda _: None)
    pipe.on_close(closed.put_nowait)
    await far.send(b"x")
    await far.unplug()
    async with asyncio.timeout(HANG_S):
        await closed.get()
    with pytest.raises(PipeClosedError):
        await pipe.write(b"x")
    await pipe.close()
    assert closed.empty()


async def test_a_large_job_waits_for_a_slow_device_and_arrives_whole(far: FarEnd) -> None:
    job = os.urandom(200_000)
    pipe = await open_transport(far.url, LineSettings(baud=115200))
    writing = asyncio.create_task(pipe.write(job))
    await asyncio.sleep(0.05)
    assert await far.receive(len(job)) == job
    await writing
    await pipe.close()


async def test_a_line_can_be_closed_twice_and_opened_again(far: FarEnd) -> None:
    for _ in range(3):
        pipe = await open_transport(far.url, LineSettings(baud=115200))
        await pipe.close()
        await pipe.close()


async def test_a_line_whose_device_takes_nothing_still_closes() -> None:
    async with far_end("serialx") as far:
        pipe = await open_transport(far.url)
        writing = asyncio.create_task(pipe.write(os.urandom(500_000)))
        await asyncio.sleep(0.05)
        assert not writing.done()
        await pipe.close()
        with pytest.raises(PipeClosedError):
            await writing


@pytest.mark.parametrize(
    "url",
    [
        "serial:///dev/does-not-exist?baud=9600",
        "serial:///dev/does-not-exist?driver=pyserial",
        "tcp://127.0.0.1:1",
        "null://nobody",
    ],
)
async def test_a_device_that_is_not_there_is_a_closed_pipe(url: str) -> None:
    with pytest.raises(PipeClosedError):
        await open_transport(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "usb://x",
        "serial://",
        "serial:///",
        "serial:///dev/x?baud=fast",
        "serial:///dev/x?baud=-1",
        "serial:///dev/x?speed=9600",
        "serial:///dev/x?driver=mine",
        "tcp://host",
        "tcp://host:99999",
        "tcp://host:1?baud=1",
        "null://",
    ],
)
def test_an_address_that_makes_no_sense_asks_for_a_person(url: str) -> None:
    with pytest.raises(DeviceConfigError, match="device address"):
        parse_line_url(url)


def test_the_url_overrides_the_profile() -> None:
    address = parse_line_url("serial:///dev/ttyS1?baud=57600&driver=pyserial")
    assert (address.place, address.baud, address.driver) == ("/dev/ttyS1", 57600, "pyserial")
    assert parse_line_url("serial:///dev/ttyS1").baud is None


def test_a_null_name_has_one_listener() -> None:
    stop = listen_null("once", lambda end: None)
    with pytest.raises(ValueError, match="taken"):
        listen_null("once", lambda end: None)
    stop()
    listen_null("once", lambda end: None)()
