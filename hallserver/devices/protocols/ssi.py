"""Simple Serial Interface (SSI) of Zebra and Symbol scanners and of modules that copy it.

Packet ``length | opcode | source | status | data | checksum (2)``. The length counts all but the checksum, which
is the two's complement of the sum of all bytes before it, high byte first. Source 0 is the scanner, 4 the
host. Bit 1 of the status says that another packet continues this one. Each packet is acknowledged.
"""

from typing import NamedTuple

HOST = 0x04
CONTINUES = 0x02
MIN_LENGTH = 4
CHECK_LENGTH = 2


class Packet(NamedTuple):
    """One packet of the scanner."""

    opcode: int
    status: int
    data: bytes

    @property
    def continues(self) -> bool:
        """More packets belong to this one."""
        return bool(self.status & CONTINUES)


def checksum(body: bytes) -> bytes:
    """Two's complement of the sum, two bytes."""
    return (-sum(body) & 0xFFFF).to_bytes(2, "big")


def packet(opcode: int, data: bytes = b"", *, source: int = HOST, status: int = 0) -> bytes:
    """A whole packet; raises ValueError for data that does not fit into one."""
    length = MIN_LENGTH + len(data)
    if length > 0xFF:
        raise ValueError("an SSI packet holds at most 251 bytes of data")
    body = bytes([length, opcode, source, status]) + data
    return body + checksum(body)


class SsiCodec:
    """Cuts bytes into packets; what fits nothing is dropped byte by byte, so it holds at most one packet."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def reset(self) -> None:
        """Forgets partial input."""
        self._buffer.clear()

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that ``data`` completes."""
        self._buffer += data
        found: list[Packet] = []
        while self._buffer:
            length = self._buffer[0]
            if length < MIN_LENGTH:
                del self._buffer[0]
                continue
            whole = length + CHECK_LENGTH
            if len(self._buffer) < whole:
                break
            body = bytes(self._buffer[:length])
            if self._buffer[length:whole] == checksum(body):
                found.append(Packet(body[1], body[3], body[4:]))
                del self._buffer[:whole]
            else:
                del self._buffer[0]
        return found
