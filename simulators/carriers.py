"""Where a simulated device can be reached: a pseudo terminal at a stable path, a TCP or a UDP port.

Unplugging takes the path or the port away under the listener; plugging in again brings it back at
the same place, as a real cable would.
"""

import asyncio
import errno
import os
import select
import tty
from pathlib import Path
from typing import Protocol

from qingting.kernel.aio.tasks import Supervisor
from simulators.device import SimulatedDevice

LOOPBACK = "127.0.0.1"
OPEN_POLL_S = 0.02
"""How often an idle pseudo terminal is looked at for a listener; there is no event for an open."""
CHUNK = 4096


class Carrier(Protocol):
    """A place where a device can be plugged in."""

    device: SimulatedDevice

    @property
    def url(self) -> str:
        """Address for the configuration of whoever drives the device."""
        ...

    @property
    def plugged(self) -> bool: ...

    async def plug(self) -> None: ...

    async def unplug(self) -> None: ...


class PtyCarrier:
    """Serves a device on a pseudo terminal; ``path`` is a symbolic link that stays the same."""

    def __init__(self, device: SimulatedDevice, path: Path, baud: int = 115200) -> None:
        self.device = device
        self.path = path
        self.baud = baud
        self._master: int | None = None
        self._supervisor = Supervisor(f"pty/{device.id}")

    @property
    def url(self) -> str:
        return f"serial://{self.path}?baud={self.baud}"

    @property
    def plugged(self) -> bool:
        return self._master is not None

    async def plug(self) -> None:
        """Makes a new pseudo terminal and points the link to it."""
        if self._master is not None:
            return
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        name = os.ttyname(slave)
        os.close(slave)
        await asyncio.to_thread(self._link, name)
        self._master = master
        self._supervisor = Supervisor(f"pty/{self.device.id}")
        _ = self._supervisor.keep("listener", self._await_listener)
        self.device.changed()

    async def unplug(self) -> None:
        """Takes link and terminal away; a listener's next read fails."""
        await self._supervisor.close()
        master, self._master = self._master, None
        if master is None:
            return
        asyncio.get_running_loop().remove_reader(master)
        self.device.detach(self)
        os.close(master)
        await asyncio.to_thread(self.path.unlink, missing_ok=True)
        self.device.changed()

    def send(self, data: bytes) -> None:
        """Bytes that nobody fetches in time are lost, as on a real line without flow control."""
        if self._master is None:
            return
        try:
            while data:
                data = data[os.write(self._master, data) :]
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise

    def _link(self, name: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{self.path.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(name)
        fresh.replace(self.path)

    async def _await_listener(self) -> None:
        while self._master is not None:
            if not _hung_up(self._master):
                asyncio.get_running_loop().add_reader(self._master, self._readable)
                self.device.attach(self)
                return
            await asyncio.sleep(OPEN_POLL_S)

    def _readable(self) -> None:
        if self._master is None:
            return
        try:
            data = os.read(self._master, CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if data:
            self.device.receive(data)
        else:
            self._listener_left(self._master)

    def _listener_left(self, master: int) -> None:
        asyncio.get_running_loop().remove_reader(master)
        self.device.detach(self)
        # The last close resets the terminal to line mode with echo; the next listener needs it raw.
        tty.setraw(master)
        _ = self._supervisor.keep("listener", self._await_listener)


def _hung_up(master: int) -> bool:
    poll = select.poll()
    poll.register(master, select.POLLIN)
    return any(events & select.POLLHUP for _, events in poll.poll(0))


class TcpCarrier:
    """Serves a device on a loopback TCP port, which is chosen once and kept over replugs."""

    def __init__(self, device: SimulatedDevice, port: int = 0) -> None:
        self.device = device
        self.port = port
        self._server: asyncio.Server | None = None
        self._lines: set[_TcpLine] = set()

    @property
    def url(self) -> str:
        return f"tcp://{LOOPBACK}:{self.port}"

    @property
    def plugged(self) -> bool:
        return self._server is not None

    async def plug(self) -> None:
        """Listens; raises OSError when the port is taken."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _TcpLine(self.device, self._lines), LOOPBACK, self.port, reuse_address=True
        )
        self.port = int(self._server.sockets[0].getsockname()[1])
        self.device.changed()

    async def unplug(self) -> None:
        """Stops listening and cuts the connection without a goodbye."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        lines = tuple(self._lines)
        for line in lines:
            line.cut()
        await asyncio.gather(*(line.closed.wait() for line in lines))
        await server.wait_closed()
        self.device.changed()


class _TcpLine(asyncio.Protocol):
    """One connection. A device has one plug: a new connection ends the older one."""

    def __init__(self, device: SimulatedDevice, lines: "set[_TcpLine]") -> None:
        self._device = device
        self._lines = lines
        self._transport: asyncio.Transport | None = None
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        for older in tuple(self._lines):
            older.cut()
        self._lines.add(self)
        self._device.attach(self)

    def data_received(self, data: bytes) -> None:
        self._device.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lines.discard(self)
        self._device.detach(self)
        self.closed.set()

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def cut(self) -> None:
        """Ends the connection at once; bytes not yet sent are lost."""
        if self._transport is not None:
            self._transport.abort()


class UdpCarrier:
    """Serves a device on a loopback UDP port, which is chosen once and kept over replugs.

    Whoever sent last is answered. Unplugged, the port is closed, and senders are told so.
    """

    def __init__(self, device: SimulatedDevice, port: int = 0) -> None:
        self.device = device
        self.port = port
        self._socket: _UdpSocket | None = None

    @property
    def url(self) -> str:
        return f"udp://{LOOPBACK}:{self.port}"

    @property
    def plugged(self) -> bool:
        return self._socket is not None

    async def plug(self) -> None:
        """Listens; raises OSError when the port is taken."""
        if self._socket is not None:
            return
        loop = asyncio.get_running_loop()
        _, self._socket = await loop.create_datagram_endpoint(
            lambda: _UdpSocket(self.device), local_addr=(LOOPBACK, self.port)
        )
        self.port = self._socket.port
        self.device.changed()

    async def unplug(self) -> None:
        udp, self._socket = self._socket, None
        if udp is not None:
            await udp.close()
            self.device.changed()


class _UdpSocket(asyncio.DatagramProtocol):
    def __init__(self, device: SimulatedDevice) -> None:
        self._device = device
        self._transport: asyncio.DatagramTransport | None = None
        self._sender: tuple[str, int] | None = None
        self._closed = asyncio.Event()
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Python 3.11's own one acts as a DatagramTransport without deriving from it.
        self._transport = transport  # type: ignore[assignment]
        self.port = int(transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr != self._sender:
            self._sender = addr
            self._device.attach(self)
        self._device.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._device.detach(self)
        self._closed.set()

    def send(self, data: bytes) -> None:
        if self._transport is not None and self._sender is not None:
            self._transport.sendto(data, self._sender)

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            await self._closed.wait()
