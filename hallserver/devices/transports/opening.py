"""Opens the line that a device's URL names.

======================================  =========================================================
``serial:///dev/ttyUSB0?baud=115200``   serial port by serialx; ``driver=pyserial`` takes pyserial
``tcp://192.0.2.7:9100``                TCP, for network printers and serial servers
``udp://192.0.2.7:8800``                UDP datagrams
``null://name``                         a null modem inside this process
======================================  =========================================================
"""

import asyncio
import socket
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import serial
import serial_asyncio
import serialx

from hallserver.devices.errors import DeviceConfigError
from hallserver.devices.transports.datagram import DatagramPipe
from hallserver.devices.transports.null import open_null
from hallserver.devices.transports.stream import StreamPipe
from qingting.kernel.aio.pipe import BytePipe, PipeClosedError

DEFAULT_BAUD = 9600
KEEPALIVE = (("TCP_KEEPIDLE", 2), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3))
"""A pulled network cable says nothing: after about five silent seconds the system declares it dead."""


class LineAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed device URL. ``place`` is a path, a host or a name."""

    scheme: str
    place: str
    port: int = 0
    baud: int | None = None
    driver: str = "serialx"


def parse_line_url(url: str) -> LineAddress:
    """Raises :class:`DeviceConfigError` with what is wrong."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        if parts.scheme == "serial":
            return _serial_address(unquote(parts.path), options)
        if parts.scheme in ("tcp", "udp") and parts.hostname and parts.port and not options:
            return LineAddress(scheme=parts.scheme, place=parts.hostname, port=parts.port)
        if parts.scheme == "null" and parts.netloc and not options:
            return LineAddress(scheme="null", place=parts.netloc)
    except ValueError as error:
        raise DeviceConfigError(f"device address {url!r}: {error}") from error
    raise DeviceConfigError(
        f"device address {url!r}: expected serial:///path?baud=, tcp://host:port, udp://host:port "
        "or null://name"
    )


def _serial_address(path: str, options: dict[str, str]) -> LineAddress:
    unknown = set(options) - {"baud", "driver"}
    if unknown:
        raise ValueError(f"unknown option {sorted(unknown)[0]!r}")
    if not path.startswith("/") or path == "/":
        raise ValueError("no path of a port")
    driver = options.get("driver", "serialx")
    if driver not in ("serialx", "pyserial"):
        raise ValueError(f"unknown driver {driver!r}")
    baud = int(options["baud"]) if "baud" in options else None
    if baud is not None and baud <= 0:
        raise ValueError("baud must be positive")
    return LineAddress(scheme="serial", place=path, baud=baud, driver=driver)


async def open_transport(url: str, *, baud: int = DEFAULT_BAUD) -> BytePipe:
    """An open line; ``baud`` is the profile's, used when the URL gives none.

    Raises :class:`PipeClosedError` when nothing is there, :class:`DeviceConfigError` for a bad URL.
    """
    address = parse_line_url(url)
    try:
        match address.scheme:
            case "null":
                return open_null(address.place)
            case "tcp":
                return await _open_tcp(address)
            case "udp":
                return await _open_udp(address)
            case _ if address.driver == "pyserial":
                return await _open_pyserial(address, address.baud or baud)
            case _:
                return await _open_serialx(address, address.baud or baud)
    except PipeClosedError:
        raise
    except OSError as error:  # SerialException of both libraries is an OSError too
        raise PipeClosedError(f"{address.scheme} line: {error}") from error


async def _open_tcp(address: LineAddress) -> BytePipe:
    transport, pipe = await asyncio.get_running_loop().create_connection(
        StreamPipe, address.place, address.port
    )
    raw: socket.socket = transport.get_extra_info("socket")
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE:
        if hasattr(socket, option):
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return pipe


async def _open_udp(address: LineAddress) -> BytePipe:
    _, pipe = await asyncio.get_running_loop().create_datagram_endpoint(
        DatagramPipe, remote_addr=(address.place, address.port)
    )
    return pipe


async def _open_serialx(address: LineAddress, baud: int) -> BytePipe:
    _, pipe = await serialx.create_serial_connection(
        asyncio.get_running_loop(), StreamPipe, address.place, baudrate=baud
    )
    assert isinstance(pipe, StreamPipe)
    return pipe


async def _open_pyserial(address: LineAddress, baud: int) -> BytePipe:
    loop = asyncio.get_running_loop()
    # Opening a port blocks while the driver sets it up, so it is done beside the loop.
    port: Any = await loop.run_in_executor(
        None, lambda: serial.Serial(address.place, baudrate=baud, timeout=0, exclusive=True)
    )
    _, pipe = await serial_asyncio.connection_for_serial(loop, StreamPipe, port)
    assert isinstance(pipe, StreamPipe)
    await pipe.made.wait()  # it introduces itself only in the next round of the loop
    return pipe
