"""Copying, proving and preparing in a process of its own: ``python -m hallserver.store.copying``.

Replaying a log of years takes minutes of a core; in the hall's process it would hold up every command. Standard input is
one JSON :class:`Order`; each line of output is a :class:`Word`, the last one an :class:`Outcome`.
"""

import os
import sqlite3
import sys
from enum import StrEnum
from pathlib import Path

import msgspec

from hallserver.engine.lines import waiting
from hallserver.engine.state import HallState
from hallserver.store.copies import Tell, back_up, rehearse
from hallserver.store.errors import NewerDatabaseError, NoRoomError, StoreOpenError
from hallserver.store.exchange import prepare
from hallserver.store.verify import Verification
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal

NICE = 19
"""Behind everything else on the machine."""


class Act(StrEnum):
    BACK_UP = "back_up"
    """``source`` is a hall's database, ``target`` the new backup."""
    DRILL = "drill"
    """``source`` is a backup, ``target`` a draft that is thrown away."""
    PREPARE = "prepare"
    """``source`` is a backup, ``target`` the database it is to replace."""


class Order(Strict, frozen=True, kw_only=True):
    act: Act
    source: str
    target: str


class Facts(Strict, frozen=True, kw_only=True):
    """What a hall's database holds: its hall, last event and when that was (UTC ms), the business day with its
    tickets and how many of them wait, the version of its configuration."""

    hall: str
    seq: int
    hash: str
    last_at: int
    day: str
    tickets: int
    waiting: int
    config: int


class Word(Strict, frozen=True, kw_only=True):
    """``share`` of ``step`` is done, 0 to 1."""

    step: str
    share: float


class Outcome(Strict, frozen=True, kw_only=True):
    """``facts`` of what is whole now, or the ``code`` of a refusal with its ``params``."""

    facts: Facts | None = None
    code: str = ""
    params: dict[str, str | int] = msgspec.field(default_factory=dict)


def facts_of(state: HallState, *, hash_: str, last_at: int) -> Facts:
    config = state.config
    return Facts(
        hall=config.hall.id if config is not None else "",
        seq=state.seq,
        hash=hash_,
        last_at=last_at,
        day=state.day or "",
        tickets=len(state.tickets),
        waiting=waiting(state),
        config=config.version if config is not None else 0,
    )


def carry_out(order: Order, tell: Tell) -> Outcome:
    """Blocking; every expected fault becomes the code of a refusal."""
    source, target = Path(order.source), Path(order.target)
    try:
        found = _found(order.act, source, target, tell)
    except (StoreOpenError, OSError, sqlite3.Error) as error:
        refusal = _refusal(error)
        return Outcome(code=refusal.code, params=refusal.params)
    return Outcome(facts=facts_of(found.state, hash_=found.tip.hash, last_at=found.last_at))


def _found(act: Act, source: Path, target: Path, tell: Tell) -> Verification:
    match act:
        case Act.BACK_UP:
            return back_up(source, target, tell)
        case Act.DRILL:
            try:
                return rehearse(source, target, tell)
            finally:
                target.unlink(missing_ok=True)
        case Act.PREPARE:
            return prepare(source, target, tell)


def _refusal(error: Exception) -> Refusal:
    match error:
        case NoRoomError(wanted=wanted, free=free):
            return Refusal(
                "hall_backup.no_room", wanted=wanted // 1_000_000, free=free // 1_000_000
            )
        case NewerDatabaseError():
            return Refusal("hall_backup.newer")
        case StoreOpenError():
            return Refusal("hall_backup.not_whole", said=_last_words(error))
        case _:
            return Refusal("hall_backup.not_written", said=_last_words(error))


def _last_words(error: Exception) -> str:
    """For a technician, without the folders of the machine."""
    return str(error).rpartition("/")[2][-200:]


def main() -> None:
    os.nice(NICE)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    encode, output = msgspec.json.encode, sys.stdout.buffer
    sys.stdout = sys.stderr  # logs print there

    def say(what: Word | Outcome) -> None:
        output.write(encode(what) + b"\n")
        output.flush()

    try:
        say(carry_out(order, lambda step, share: say(Word(step=step, share=round(share, 3)))))
    except BrokenPipeError:
        os._exit(1)  # whoever asked was killed; the draft is dropped and nobody is left to tell


if __name__ == "__main__":
    main()
