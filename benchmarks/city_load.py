"""Citizens of the city, a process of its own: ``python -m benchmarks.city_load``. A job on stdin, then ``go`` for each
of its parts; figures on stdout."""

import asyncio
import itertools
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from benchmarks.http_line import HttpLine, LineError, dial
from qingting.contract.base import Strict
from qingting.kernel.open_files import lift_open_files

DIALS = 50
"""Connections that are opened at one time: citizens come over minutes, not in the same millisecond."""
HOST = "127.0.0.1"
IDLE_PAGE = "/c/login"
TAKEN = b'id="instead"'
"""Stands on the page that offers other times to who was slower."""


class NobodyLeftError(Exception):
    """There are fewer citizens than bookings."""


class CitizenSeed(Strict, frozen=True, kw_only=True):
    """A citizen who is logged in: the cookie of the session and the token of its forms."""

    cookie: str
    csrf: str


class PlaceSeed(Strict, frozen=True, kw_only=True):
    """A period that can be booked: where its form goes, and what is in it."""

    action: str
    form: dict[str, str]


class CityJob(Strict, frozen=True, kw_only=True):
    """``operators`` act at the same time, each on a connection of its own and as one citizen after the other (nobody books
    without end); ``idle`` more connections ask for a page once. ``pages``, ``queries``: addresses. ``again``: citizens come a
    second time, since the server does not know them."""

    ports: tuple[int, ...]
    citizens: tuple[CitizenSeed, ...]
    operators: int
    idle: int
    places: tuple[PlaceSeed, ...]
    pages: tuple[str, ...]
    queries: tuple[str, ...]
    seed: int
    again: bool = False


class Part(Strict, frozen=True, kw_only=True):
    """What is to be done at the word: for ``seconds`` with ``think`` mean seconds between two acts of an operator;
    ``seconds`` 0: each acts once, all at the same moment."""

    seconds: float
    think: float


class CityFigures(Strict, frozen=True, kw_only=True):
    """Seconds of each act by kind; ``faults`` by what they were; ``full``: places that another was faster to take, which is no fault;
    ``wall`` is how long it took in all."""

    seconds: dict[str, list[float]]
    faults: dict[str, int]
    full: int
    wall: float
    connected: int


@dataclass(slots=True)
class Counts:
    """What a part has seen so far."""

    seconds: dict[str, list[float]] = field(
        default_factory=lambda: {"page": [], "query": [], "booking": []}
    )
    faults: Counter[str] = field(default_factory=Counter)
    full: int = 0


class Operator:
    """Looks, asks and books over one connection."""

    def __init__(
        self, job: CityJob, line: HttpLine, citizens: Iterator[CitizenSeed], chance: random.Random
    ) -> None:
        self._job = job
        self._line = line
        self._citizens = citizens
        self._citizen = self._next()
        self._chance = chance

    async def act(self, counts: Counts) -> None:
        """A page (three of ten), a query (five), a booking (two)."""
        dice = self._chance.random()
        try:
            if dice < 0.3:
                await self._look(counts, "page", self._job.pages)
            elif dice < 0.8:
                await self._look(counts, "query", self._job.queries)
            else:
                await self._book(counts)
        except (LineError, TimeoutError, OSError) as error:
            counts.faults[f"{type(error).__name__} {error}"] += 1

    async def _look(self, counts: Counts, kind: str, paths: Sequence[str]) -> None:
        answer = await self._line.get(self._chance.choice(paths), self._citizen.cookie)
        counts.seconds[kind].append(answer.seconds)
        if answer.status != 200:
            counts.faults[f"{kind} {answer.status} {answer.location}"] += 1

    async def _book(self, counts: Counts) -> None:
        """Asks for a place and says yes: two requests, one act. The next citizen takes the seat afterwards."""
        place, who = self._chance.choice(self._job.places), self._citizen
        form = {**place.form, "csrf": who.csrf, "key": f"{self._chance.getrandbits(64):x}"}
        held = await self._line.post(place.action, form, who.cookie)
        if held.status == 409 and TAKEN in held.body:
            counts.full += 1
            return
        if held.status != 303:
            counts.faults[f"hold {held.status}"] += 1
            return
        form = {"csrf": who.csrf, "key": f"{self._chance.getrandbits(64):x}"}
        done = await self._line.post(f"{held.location}/confirm", form, who.cookie)
        counts.seconds["booking"].append(held.seconds + done.seconds)
        if done.status != 303:
            counts.faults[f"confirm {done.status}"] += 1
        self._citizen = self._next()

    def _next(self) -> CitizenSeed:
        # Who has booked is refused the same item a second time, and that would look like a fault of the city's.
        try:
            return next(self._citizens)
        except StopIteration:
            raise NobodyLeftError("every citizen has booked: log in more of them") from None


async def connect(job: CityJob, chance: random.Random) -> tuple[list[Operator], list[HttpLine]]:
    """Operators and idle connections, spread over the servers."""
    limit = asyncio.Semaphore(DIALS)
    citizens = itertools.cycle(job.citizens) if job.again else iter(job.citizens)

    async def one(number: int) -> HttpLine:
        async with limit:
            line = await dial(HOST, job.ports[number % len(job.ports)])
            answer = await line.get(IDLE_PAGE)
            if answer.status != 200:
                raise LineError(f"{IDLE_PAGE}: {answer.status}")
            return line

    lines = await asyncio.gather(*(one(number) for number in range(job.operators + job.idle)))
    active = [
        Operator(job, line, citizens, random.Random(chance.random()))
        for line in lines[: job.operators]
    ]
    return active, list(lines)


async def play(part: Part, operators: Sequence[Operator], chance: random.Random) -> CityFigures:
    """One part; gives what was seen."""
    counts, loop = Counts(), asyncio.get_running_loop()
    began = loop.time()

    async def pause() -> None:
        seconds = chance.expovariate(1 / part.think) if part.think else 0.0
        await asyncio.sleep(min(seconds, began + part.seconds - loop.time()))

    async def steady(operator: Operator) -> None:
        # People who came a while ago are anywhere in their pause. Were their first acts spread evenly over one pause, those who
        # act again would come on top of them: twice as many acts a second when it ends as at any time afterwards.
        await pause()
        while loop.time() - began < part.seconds:
            await operator.act(counts)
            await pause()

    work = [one.act(counts) if not part.seconds else steady(one) for one in operators]
    await asyncio.gather(*work)
    return CityFigures(
        seconds=counts.seconds,
        faults=dict(counts.faults),
        full=counts.full,
        wall=loop.time() - began,
        connected=0,
    )


async def run() -> None:
    """Until stdin ends."""
    job = msgspec.json.decode(await asyncio.to_thread(sys.stdin.readline), type=CityJob)
    chance = random.Random(job.seed)
    operators, lines = await connect(job, chance)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while told := await asyncio.to_thread(sys.stdin.readline):
        figures = await play(msgspec.json.decode(told, type=Part), operators, chance)
        figures = msgspec.structs.replace(figures, connected=sum(one.open for one in lines))
        sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _ = lift_open_files()
    asyncio.run(run())
