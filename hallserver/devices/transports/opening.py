"""Opens the line that a device's URL names.

======================================  =========================================================
``serial:///dev/ttyUSB0?baud=115200``   serial port by serialx; ``driver=pyserial`` takes pyserial
``tcp://192.0.2.7:9100``                TCP, for network printers and serial servers
``udp://192.0.2.7:8800``                UDP datagrams
``usblp://0519:2013``                   USB printer by its ids; ``/SERIAL`` behind them tells twins apart
``hidraw://0400:c35a``                  USB HID device, data in reports as the profile lays them out
``evdev://05e0:1200``                   scanner that acts as a keyboard, taken away from everybody else
``usb://0400:c35a``                     bulk endpoints of a USB device that has no driver
``sound://plughw:CARD=Device``           sound device by its name, played to by its profile's program
``null://name``                         a null modem inside this process
======================================  =========================================================

Instead of ids the three USB lines also take a path: ``usblp:///dev/usb/lp0``, ``evdev:///dev/input/by-id/…``.
"""

import asyncio
import os
import re
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import serial
import serial_asyncio
import serialx

from hallserver.devices.errors import DeviceConfigError
from hallserver.devices.protocols.hid_reports import HidCodec, HidReports
from hallserver.devices.protocols.keyboard import EVENT, KeyReader
from hallserver.devices.transports.datagram import DatagramPipe
from hallserver.devices.transports.node import Bare, NodePipe, Wrapping
from hallserver.devices.transports.null import open_null
from hallserver.devices.transports.player import SoundLine
from hallserver.devices.transports.stream import StreamPipe
from hallserver.devices.transports.usb_bulk import open_usb
from hallserver.devices.transports.usb_ids import CLASSES, NodeSystem, UsbIds
from qingting.kernel.aio.pipe import BytePipe, PipeClosedError

DEFAULT_BAUD = 9600
KEEPALIVE = (("TCP_KEEPIDLE", 2), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3))
"""A pulled network cable says nothing: after about five silent seconds the system declares it dead."""


THIS_MACHINE = NodeSystem()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings:
    """What a line needs beside its address, from the device's profile: ``baud`` where the URL gives none, ``hid``
    for reports. ``system`` and ``usb_backend`` (None = libusb) are the machine's."""

    baud: int = DEFAULT_BAUD
    hid: HidReports | None = None
    system: NodeSystem = THIS_MACHINE
    usb_backend: Any = None


class LineAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed device URL. ``place`` is a path, a host or a name; empty where ``usb`` says what is plugged in."""

    scheme: str
    place: str
    port: int = 0
    baud: int | None = None
    driver: str = "serialx"
    usb: UsbIds | None = None


def parse_line_url(url: str) -> LineAddress:
    """Raises :class:`DeviceConfigError` with what is wrong."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        if parts.scheme == "serial":
            return _serial_address(unquote(parts.path), options)
        if parts.scheme in ("tcp", "udp") and parts.hostname and parts.port and not options:
            return LineAddress(scheme=parts.scheme, place=parts.hostname, port=parts.port)
        if parts.scheme == "sound" and not options:
            return LineAddress(scheme="sound", place=_sound_device(unquote(parts.netloc)))
        if parts.scheme == "null" and parts.netloc and not options:
            return LineAddress(scheme="null", place=parts.netloc)
        if parts.scheme == "usb" and parts.netloc and not options:
            return _node_address(parts.scheme, parts.netloc, unquote(parts.path))
        if parts.scheme in CLASSES and not options:
            return _node_address(parts.scheme, parts.netloc, unquote(parts.path))
    except ValueError as error:
        raise DeviceConfigError(f"device address {url!r}: {error}") from error
    raise DeviceConfigError(
        f"device address {url!r}: expected serial:///path?baud=, tcp://host:port, udp://host:port, "
        "usblp://, hidraw:// or evdev:// with vendor:product or a path, usb:// with vendor:product, "
        "sound://device or null://name"
    )


def _sound_device(name: str) -> str:
    """The name goes to a program as an argument of its own: it must not look like an option."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.:,=@+-]{0,119}", name):
        raise ValueError("no name of a sound device")
    return name


def _node_address(scheme: str, ids: str, path: str) -> LineAddress:
    if ids:
        return LineAddress(scheme=scheme, place="", usb=UsbIds.parse(ids, path.strip("/")))
    if len(path) < 2:
        raise ValueError("no path and no vendor:product")
    return LineAddress(scheme=scheme, place=path)


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


async def open_transport(url: str, settings: LineSettings | None = None) -> BytePipe:
    """An open line.

    Raises :class:`PipeClosedError` when nothing is there, :class:`DeviceConfigError` for a bad URL.
    """
    address = parse_line_url(url)
    settings = settings or LineSettings()
    baud = address.baud or settings.baud
    try:
        match address.scheme:
            case "null":
                return open_null(address.place)
            case "sound":
                return SoundLine()
            case "tcp":
                return await _open_tcp(address)
            case "udp":
                return await _open_udp(address)
            case "usb":
                assert address.usb is not None
                return await open_usb(address.usb, settings.usb_backend)
            case scheme if scheme in CLASSES:
                return await _open_node(address, settings)
            case _ if address.driver == "pyserial":
                return await _open_pyserial(address, baud)
            case _:
                return await _open_serialx(address, baud)
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


async def _open_node(address: LineAddress, settings: LineSettings) -> BytePipe:
    wrapping = _wrapping(address.scheme, settings)
    system = settings.system

    def opened() -> int:
        path = system.find(address.scheme, address.usb) if address.usb else address.place
        return system.open(address.scheme, path)

    opening = asyncio.ensure_future(asyncio.to_thread(opened))
    try:
        return NodePipe(await asyncio.shield(opening), wrapping)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise


def _close_late(opening: "asyncio.Future[int]") -> None:
    """Nobody waits any more for a node that took long to open."""
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result())


def _wrapping(scheme: str, settings: LineSettings) -> Wrapping:
    match scheme:
        case "evdev":
            return _Keys()
        case "hidraw" if settings.hid is None:
            raise DeviceConfigError("the profile does not say how its HID reports are laid out")
        case "hidraw":
            assert settings.hid is not None
            return HidCodec(settings.hid)
        case _:
            return Bare()


class _Keys:
    """Keys in, nothing out."""

    read_bytes = EVENT.size * 64

    def __init__(self) -> None:
        self._keys = KeyReader()

    def wrap(self, data: bytes) -> list[bytes]:
        return []

    def unwrap(self, data: bytes) -> bytes:
        return self._keys.feed(data)


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
