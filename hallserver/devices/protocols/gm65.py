"""Commands and acknowledgements of GM65 type scanner modules.

Command ``7E 00 | type | length | address (2) | data | CRC``, CRC-16/XMODEM from type to data. Each
command is acknowledged with ``02 00 00 01 00 33 31`` in the same stream that carries the codes.
"""

import binascii

COMMAND_HEAD = b"\x7e\x00"


def crc_xmodem(data: bytes) -> int:
    """CRC-16/XMODEM: polynomial 1021h, start 0."""
    return binascii.crc_hqx(data, 0)


def command(kind: int, address: int, data: bytes) -> bytes:
    """A command frame; ``kind`` 7 reads, 8 writes."""
    body = bytes([kind, len(data)]) + address.to_bytes(2, "big") + data
    return COMMAND_HEAD + body + crc_xmodem(body).to_bytes(2, "big")


class AckStripper:
    """Takes acknowledgements out of the stream, split over chunks or not, and lets codes through."""

    def __init__(self, ack: bytes) -> None:
        self._ack = ack
        self._held = b""

    def reset(self) -> None:
        """Forgets the beginning of an acknowledgement."""
        self._held = b""

    def feed(self, data: bytes) -> tuple[int, bytes]:
        """Number of acknowledgements completed and the bytes that belong to codes."""
        parts = (self._held + data).split(self._ack)
        tail = parts[-1]
        keep = max(
            (n for n in range(1, len(self._ack)) if tail.endswith(self._ack[:n])),
            default=0,
        )
        self._held = tail[len(tail) - keep :] if keep else b""
        parts[-1] = tail[: len(tail) - keep]
        return len(parts) - 1, b"".join(parts)

    def idle(self) -> bytes:
        """What was held back, once silence proves that it was no acknowledgement."""
        held, self._held = self._held, b""
        return held
