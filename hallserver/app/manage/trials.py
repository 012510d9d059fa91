"""Trials of rules on a past day (试算): one at a time, in a worker thread, with progress."""

import asyncio
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from aiohttp import web

from hallserver.engine.whatif import Comparison, Variant, compare
from hallserver.store.days import NoSuchDayError, load_day
from hallserver.store.errors import StoreOpenError
from qingting.contract.errors import Refusal
from qingting.contract.ids import Millis
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token

log = structlog.get_logger(__name__)

KEPT = 8
"""Trials that can still be looked at."""


class _Stopped(Exception):  # noqa: N818 - not a fault
    """The server goes down."""


@dataclass(slots=True)
class Trial:
    """One trial, begun at ``started``. Until it is done ``found`` and ``problem`` are None."""

    id: str
    day: str
    base: int
    variant: Variant
    started: Millis
    progress: float = 0.0
    found: Comparison | None = None
    problem: Refusal | None = None

    @property
    def done(self) -> bool:
        return self.found is not None or self.problem is not None


class Trials:
    """The trials of one server, newest last; they are forgotten with it."""

    def __init__(self, database: Path, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._trials: dict[str, Trial] = {}
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def find(self, trial: str) -> Trial:
        """Raises ``page.not_found`` for one that is forgotten."""
        found = self._trials.get(trial)
        if found is None:
            raise Refusal("page.not_found")
        return found

    def all(self) -> list[Trial]:
        """Those that can still be looked at, newest first."""
        return list(reversed(self._trials.values()))

    def start(self, day: str, base: int, variant: Variant) -> Trial:
        """Begins a trial; raises ``replay.running`` while another one runs."""
        if self._task is not None and not self._task.done():
            raise Refusal("replay.running")
        trial = Trial(new_token()[:12], day, base, variant, self._clock.now_ms())
        self._trials[trial.id] = trial
        while len(self._trials) > KEPT:
            del self._trials[next(iter(self._trials))]
        self._task = asyncio.create_task(self._carry_out(trial), name="rules-trial")
        return trial

    async def _carry_out(self, trial: Trial) -> None:
        try:
            trial.found = await asyncio.to_thread(self._compute, trial)
        except Refusal as refusal:
            trial.problem = refusal
        except NoSuchDayError:
            trial.problem = Refusal("replay.no_day", day=trial.day)
        except (sqlite3.Error, StoreOpenError, msgspec.DecodeError):
            log.exception("trial.unreadable", day=trial.day)
            trial.problem = Refusal("replay.unreadable", day=trial.day)
        except _Stopped:
            trial.problem = Refusal("store.unavailable")
        except Exception:
            log.exception("trial.failed", day=trial.day)
            trial.problem = Refusal("internal")

    def _compute(self, trial: Trial) -> Comparison:
        def progress(done: float) -> None:
            if self._stopping:
                raise _Stopped
            trial.progress = done

        return compare(load_day(self._database, trial.day), trial.variant, progress)

    async def close(self) -> None:
        """Stops a running trial and waits for its thread."""
        self._stopping = True
        if self._task is not None:
            await asyncio.wait([self._task])


TRIALS = web.AppKey("trials", Trials)


async def stop_trials(app: web.Application) -> None:
    await app[TRIALS].close()
