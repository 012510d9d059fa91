"""The rows of one transaction, and the end of the log after it."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from hallserver.store.projections import changes
from hallserver.store.sql import Change
from qingting.contract.events import Event
from qingting.contract.ids import CommandKey
from qingting.contract.link import GENESIS, chain_hash

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class Tip(NamedTuple):
    """The newest event's number and chain hash."""

    seq: int = 0
    hash: str = GENESIS


class StoredEvent(NamedTuple):
    """One line of the log: number, exact JSON, chain hash."""

    seq: int
    json: bytes
    hash: str

    def event(self) -> Event:
        """The event; raises ``msgspec.DecodeError`` for a type this program does not know."""
        return _decoder.decode(self.json)


class Batch:
    """Collects what one transaction appends. Numbers and hashes are final only once it is committed."""

    def __init__(self, epoch: int, tip: Tip) -> None:
        self.epoch = epoch
        self.tip = tip
        self.events: list[tuple[Any, ...]] = []
        self.commands: list[tuple[str, int, int]] = []
        self._changes: list[Change] = []

    def add(self, key: CommandKey, events: Sequence[Event]) -> None:
        """The events of one command, numbered on from ``tip``."""
        for event in events:
            text = _encoder.encode(event)
            self.tip = Tip(event.s, chain_hash(self.tip.hash, text))
            kind = event.b.__struct_config__.tag
            self.events.append(
                (event.s, self.epoch, event.at, event.bd, kind, key, text, self.tip.hash)
            )
            self._changes += changes(event)
        self.commands.append((key, events[0].s, events[-1].s))

    def changes(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """Projection statements in order, neighbours with the same text put together."""
        return [
            (sql, [row for _, row in rows])
            for sql, rows in groupby(self._changes, key=lambda change: change[0])
        ]
