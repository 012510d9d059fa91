"""A mailbox: the part of SMTP (RFC 5321) by which a mail is handed in."""

import asyncio
import contextlib
import email
import email.policy
import re
from collections.abc import AsyncIterator

from simulators.messages.platform import Fault, MessagePlatform, Way

LOOPBACK = "127.0.0.1"
LONGEST_MAIL = 256 * 1024
_ADDRESS = re.compile(rb"<([^<>]*)>")


@contextlib.asynccontextmanager
async def serve_mail(platform: MessagePlatform, port: int = 0) -> AsyncIterator[int]:
    """Takes mail on a loopback port (0 = any free) until the block ends; gives the port."""
    talks: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(writer)
        try:
            await _Talk(platform, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the other side went away in the middle: its mail was not handed in
        finally:
            talks.discard(writer)
            writer.close()

    server = await asyncio.start_server(talk, LOOPBACK, port, limit=LONGEST_MAIL)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in list(talks):
            writer.close()
        await server.wait_closed()


class _Talk:
    """One connection."""

    def __init__(
        self,
        platform: MessagePlatform,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._platform = platform
        self._reader = reader
        self._writer = writer
        self._to: list[str] = []

    async def run(self) -> None:
        if self._platform.faults[Way.MAIL] is Fault.DOWN:
            return
        await self._platform.dawdle(Way.MAIL)
        await self._say("220 mail.simulated ESMTP")
        while line := await self._reader.readline():
            word = line[:4].upper()
            if word == b"QUIT":
                await self._say("221 bye")
                return
            await self._answer(word, line)

    async def _answer(self, word: bytes, line: bytes) -> None:
        fault = self._platform.faults[Way.MAIL]
        if word == b"DATA":
            await self._say("354 end with a dot")
            data = await self._reader.readuntil(b"\r\n.\r\n")
            if fault is Fault.BUSY:
                await self._say("451 try again later")
                return
            self._keep(data[:-3])
            await self._say("250 taken")
        elif word == b"RCPT" and fault is Fault.REFUSE:
            await self._say("550 no such mailbox")
        elif word == b"RCPT":
            found = _ADDRESS.search(line)
            self._to.append(found[1].decode() if found else "")
            await self._say("250 ok")
        else:
            if word == b"MAIL":
                self._to = []
            await self._say("250 ok")

    def _keep(self, data: bytes) -> None:
        raw = data.replace(b"\r\n..", b"\r\n.")
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        body = mail.get_body(("plain",))
        text = str(body.get_content()).strip() if body is not None else ""
        for one in self._to:
            self._platform.mail(str(mail["Message-ID"]), one, str(mail["Subject"]), text)

    async def _say(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()
