"""Random bytes for every codec of a device: none crashes, hangs or grows. ``make fuzz`` takes a million strings each.

Half of the strings are random, half are frames of the device with bytes changed, cut and doubled, which gets further
in. Usage: ``python tests/fuzz/fuzz_codecs.py [strings] [seed]``.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from time import monotonic
from typing import Any

from hallserver.devices.profile_types import HexBytes, LedProfile, ReplyShape
from hallserver.devices.profiles import load_kind, shipped_profiles
from hallserver.devices.protocols.escpos.status import StatusCodec
from hallserver.devices.protocols.faceline import credential_of, said
from hallserver.devices.protocols.gm65 import AckStripper
from hallserver.devices.protocols.hid_reports import HidCodec, HidReports
from hallserver.devices.protocols.keyboard import EVENT, KeyReader
from hallserver.devices.protocols.led.codecs import codec_for
from hallserver.devices.protocols.samv import RecordError, SamvCodec, parse_text, text_of_read
from hallserver.devices.protocols.scanline import ScanLineCodec, decode_code
from hallserver.devices.protocols.ssi import SsiCodec, packet
from qingting.contract.states import DeviceKind

KEPT_BYTES = 4096
"""The most that any codec may hold back."""
HANG_S = 5.0
"""The longest that one string may take, on the busiest machine."""
Feed = Callable[[bytes], Any]
ACK = bytes.fromhex("02 00 00 01 00 33 31")
FRAMES = {
    "escpos": bytes.fromhex("12 16 14 00 00 0F 00 37 22 30 30 34 32 00 1A 72 0C"),
    "escpos name": b"\x12_TM-T88V\x00\x16" + bytes.fromhex("37 22 30 30 34 32 00"),
    "escpos full status": bytes.fromhex("10 0F 20 00 00 01"),
    "samv": bytes.fromhex(
        "AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 97 AA AA AA 96 69 00 04 00 00 80 84"
    ),
    "samv record": "张三            ".encode("utf-16-le")
    + bytes(40)
    + "230602199001011238".encode("utf-16-le"),
    "scan line": b"QT1:abc\r\nhttps://hall.example/t/1\r",
    "scan text": "大庆市QT1:abc".encode("gb18030"),
    "face line": b"DARK\r\nLOOKING\r\nFACE QTRL.abcdefghijklmnop\r\n",
    "gm65": ACK + b"QT1:abc\r" + ACK,
    "keyboard": b"".join(
        EVENT.pack(0, 0, 1, code, down) for code in (56, 42, 16, 79, 80, 28) for down in (1, 0)
    ),
    "hid": bytes.fromhex("02 07 00 00 00") + b"QT1:abc" + bytes(52),
    "ssi": packet(0xF3, b"\x1cQT1:abc", source=0) + packet(0xA4, b"PAAAAS", source=0),
}


def codecs() -> Iterator[tuple[str, Feed, Any, bytes]]:
    """Name, how to feed it, the object that may hold bytes back, and sound bytes of its device."""
    status, named, full, samv = StatusCodec(), StatusCodec(), StatusCodec(), SamvCodec()
    keys = KeyReader()
    hid = HidCodec(HidReports(report_bytes=63, in_id=2, length_at=0, data_at=4, more_at=62))
    line, acks, ssi = ScanLineCodec((b"\r\n", b"\r", b"\n"), 2953), AckStripper(ACK), SsiCodec()
    faces = ScanLineCodec((b"\r\n", b"\n", b"\r"), 600)
    shape = ReplyShape(length=6, fixed_mask=0, fixed_value=0, prefix=HexBytes(b"\x10\x0f"))

    def feed_full(data: bytes) -> None:
        full.expect(shape)
        full.feed(data)

    def feed_face(data: bytes) -> None:
        for one in faces.feed(data):
            _ = credential_of(said(one), "FACE ")

    def feed_name(data: bytes) -> None:
        named.name_due = True
        named.feed(data)

    yield "escpos", status.feed, status, FRAMES["escpos"]
    yield "escpos name", feed_name, named, FRAMES["escpos name"]
    yield "escpos full status", feed_full, full, FRAMES["escpos full status"]
    yield "samv", samv.feed, samv, FRAMES["samv"]
    yield "samv record", _record, None, FRAMES["samv record"]
    yield "scan line", line.feed, line, FRAMES["scan line"]
    yield (
        "scan text",
        lambda data: decode_code(data, ("utf-8", "gb18030")),
        None,
        FRAMES["scan text"],
    )
    yield "face line", feed_face, faces, FRAMES["face line"]
    yield "gm65", acks.feed, acks, FRAMES["gm65"]
    yield "ssi", ssi.feed, ssi, FRAMES["ssi"]
    yield "keyboard", keys.feed, keys, FRAMES["keyboard"]
    yield "hid", hid.unwrap, hid, FRAMES["hid"]
    for one in shipped_profiles().ids(DeviceKind.LED):
        profile = load_kind(LedProfile, one)
        led = codec_for(profile.protocol, profile.led.charset, profile.led.max_bytes)
        yield one, led.feed, led, led.probe() or bytes(range(40))


def _record(data: bytes) -> None:
    """A record that is none is refused, in a class of its own."""
    with suppress(RecordError):
        text_of_read(data)
    with suppress(RecordError):
        parse_text((data + b"\x20\x00" * 128)[:256], ("citizen", "J", "I", "Y"))


def strings(count: int, random: Random, sound: bytes) -> Iterator[bytes]:
    """``count`` strings of up to 96 bytes, every other one made of sound bytes."""
    for number in range(count):
        if number % 2:
            yield random.randbytes(random.randrange(96))
            continue
        data = bytearray(sound)
        for _ in range(random.randrange(4)):
            place = random.randrange(len(data) + 1)
            match random.randrange(3):
                case 0:
                    data[place : place + 1] = random.randbytes(1)
                case 1:
                    del data[place : place + random.randrange(8)]
                case _:
                    data[place:place] = data[: random.randrange(12)]
        yield bytes(data[:KEPT_BYTES])


def held(codec: Any) -> int:
    """Bytes that a codec keeps, in whatever attribute."""
    kept = vars(codec).values() if codec is not None else ()
    return sum(len(one) for one in kept if isinstance(one, bytes | bytearray))


def fuzz(count: int, seed: int) -> Iterator[tuple[str, int, float]]:
    """Name, most bytes held and seconds of each codec. Raises ``AssertionError`` with the string that broke it."""
    for name, feed, codec, sound in codecs():
        most, began = 0, monotonic()
        for data in strings(count, Random(f"{name} {seed}"), sound):
            before = monotonic()
            try:
                feed(data)
            except Exception as error:
                raise AssertionError(f"{name}: {data.hex(' ')}") from error
            most = max(most, held(codec))
            assert most <= KEPT_BYTES, f"{name} holds {most} bytes after {data.hex(' ')}"
            assert monotonic() - before < HANG_S, f"{name} hangs on {data.hex(' ')}"
        yield name, most, monotonic() - began


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for name, most, seconds in fuzz(count, seed):
        sys.stdout.write(f"{name:24} {count} strings, at most {most} bytes held, {seconds:.1f} s\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
