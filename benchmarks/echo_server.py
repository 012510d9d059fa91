"""The bare limit: a WebSocket echo that stores rows of the same size in the same grouped commits.

No rule, no view, no authentication: what the machine, aiohttp and SQLite allow. ``python -m
benchmarks.echo_server DATABASE PORT`` with the sizes of the rows by request type as JSON on stdin.
"""

import asyncio
import sqlite3
import sys
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from hallserver.store.lane import Lane
from hallserver.store.opening import Writer, open_writer
from hallserver.store.store import _INSERT_COMMAND, _INSERT_EVENT


class _Body(msgspec.Struct):
    type: str


class _Ask(msgspec.Struct):
    body: _Body
    key: str


_decoder: msgspec.json.Decoder[_Ask] = msgspec.json.Decoder(_Ask)
Sizes = dict[str, list[int]]
"""Bytes of each event that a request type stores."""


class Grouped:
    """One writer thread; what comes during a commit goes into the next one."""

    def __init__(self, writer: Lane[Writer], sizes: Sizes) -> None:
        self._writer = writer
        self._rows = {kind: [b"x" * size for size in many] for kind, many in sizes.items()}
        self._waiting: list[tuple[_Ask, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._seq = 0

    async def store(self, ask: _Ask) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, done))
        self._wake.set()
        await done

    async def serve(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch, self._waiting = self._waiting, []
                events, commands = self._batch([ask for ask, _ in batch])
                await self._writer.run(lambda writer: _commit(writer.raw, events, commands))  # noqa: B023
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)

    def _batch(self, asks: list[_Ask]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        events: list[tuple[Any, ...]] = []
        commands: list[tuple[Any, ...]] = []
        for ask in asks:
            first = self._seq + 1
            for row in self._rows[ask.body.type]:
                self._seq += 1
                events.append((self._seq, 1, 1, "2026-11-23", "k", ask.key, row, "0" * 64))
            commands.append((ask.key, first, self._seq))
        return events, commands


def _commit(raw: sqlite3.Connection, events: list[Any], commands: list[Any]) -> None:
    raw.execute("BEGIN IMMEDIATE")
    raw.executemany(_INSERT_EVENT, events)
    raw.executemany(_INSERT_COMMAND, commands)
    raw.execute("COMMIT")


async def main(database: Path, port: int, sizes: Sizes) -> None:
    """Serves until it is ended."""
    lane: Lane[Writer] = Lane("echo-writer", lambda: open_writer(database), Writer.close)
    await lane.start()
    grouped = Grouped(lane, sizes)
    serving = asyncio.create_task(grouped.serve())

    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, decode_text=False)
        await socket.prepare(request)
        async for message in socket:
            await grouped.store(_decoder.decode(message.data))
            await socket.send_frame(message.data, WSMsgType.TEXT)
        return socket

    app = web.Application()
    app.router.add_get("/hub", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        await serving
    finally:
        await runner.cleanup()
        await lane.stop()


if __name__ == "__main__":
    asyncio.run(
        main(Path(sys.argv[1]), int(sys.argv[2]), msgspec.json.decode(sys.stdin.readline()))
    )
