"""What people do in a hall: a visitor at a kiosk, a clerk at a window, a visitor at the rating pad.

Each role looks only at what its screen shows and presses only what its screen offers, so it finds its
way again after every reconnect. A press whose answer got lost is sent again with the same key.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from qingting.contract import hub
from qingting.contract.base import Strict
from qingting.contract.ids import TicketId, WindowId
from qingting.contract.ratings import RATING_SECONDS, rating_tags
from qingting.contract.states import (
    BAD_LEVELS,
    NotRatedReason,
    RatingLevel,
    TicketState,
    WindowState,
)
from qingting.contract.views import ItemsView, ItemView, RatingPadView, RatingRequest, WindowView
from qingting.kernel.aio.clock import Clock
from simulators.hub_client import HubSession, RefusedError, new_key
from simulators.id_cards import DEMO_CARDS, Card

GOOD_CARDS = ("citizen", "woman", "elder", "rare_name", "residence_permit", "foreigner_2023")
LOOK_S = 1.0
"""After a refusal people look again this much later, in real time."""
READ_S = 10.0
"""A card that was not read within this real time is lifted again."""

Choice = TypeVar("Choice")


class CardHand(Protocol):
    """Who lays cards on a kiosk's reader; a simulated reader is one."""

    def put(self, card: Card) -> None: ...

    def take(self) -> None: ...


class Habits(Strict, frozen=True, kw_only=True):
    """How people behave: spans in seconds of played time, shares of all visits between 0 and 1.

    ``levels`` are weights of the five levels from very satisfied down. Who neither rates nor declines
    walks away in silence.
    """

    walk_s: tuple[float, float] = (8.0, 40.0)
    serve_s: tuple[float, float] = (90.0, 600.0)
    rate_s: tuple[float, float] = (4.0, 20.0)
    pause_s: tuple[float, float] = (2.0, 15.0)
    no_show: float = 0.04
    rates: float = 0.6
    declines: float = 0.2
    levels: tuple[float, float, float, float, float] = (0.80, 0.13, 0.05, 0.015, 0.005)
    words: tuple[str, ...] = ("", "", "", "办得很快，谢谢。", "希望多开一个窗口。")


@dataclass(slots=True)
class Counts:
    """What was done so far; ``refused`` counts refusals by error code."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    silent: int = 0
    reconnects: int = 0

    def of(self, request: type[hub.Request]) -> int:
        """How often a kind of request was granted, e.g. ``of(TakeTicket)`` tickets taken."""
        return self.done[request.__name__]


class Stage:
    """Time, chance and the tally that all players share. ``speed`` 60: a minute is an hour."""

    def __init__(self, habits: Habits, clock: Clock, speed: float, seed: int | None) -> None:
        self.habits = habits
        self.clock = clock
        self.speed = speed
        self.counts = Counts()
        self._dice = random.Random(seed)

    async def passes(self, seconds: float) -> None:
        await self.clock.sleep(seconds / self.speed)

    async def spend(self, span: tuple[float, float]) -> None:
        """Lets a time between the two ends of ``span`` pass."""
        await self.passes(self._dice.uniform(*span))

    async def next_arrival(self, per_minute: float) -> None:
        """People come by themselves, not by appointment: the gaps are exponential."""
        await self.passes(self._dice.expovariate(per_minute / 60))

    def happens(self, share: float) -> bool:
        return self._dice.random() < share

    def pick(self, choices: Sequence[Choice], weights: Sequence[float] | None = None) -> Choice:
        return self._dice.choices(choices, weights)[0]


class Button:
    """Presses what changes the hall; one press counts once, however often it has to be sent."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._unsure: tuple[hub.Request, str] | None = None

    async def press(self, session: HubSession, body: hub.Request) -> bool:
        """True when granted; False, after a moment, when refused."""
        await self.settle(session)
        self._unsure = (body, new_key())
        return await self.settle(session)

    async def settle(self, session: HubSession) -> bool:
        """Sends again what was pressed before the connection was lost."""
        if self._unsure is None:
            return True
        body, key = self._unsure
        granted = await self.ask(session, body, key)
        self._unsure = None
        return granted

    async def ask(self, session: HubSession, body: hub.Request, key: str | None = None) -> bool:
        """A request whose refusal is counted and waited over."""
        try:
            await session.ask(body, key)
        except RefusedError as error:
            self._stage.counts.refused[error.code] += 1
            await self._stage.clock.sleep(LOOK_S)
            return False
        self._stage.counts.done[type(body).__name__] += 1
        return True


class Visitors:
    """People who come to one kiosk and take a number each."""

    def __init__(self, stage: Stage, per_minute: float, hand: CardHand | None) -> None:
        self._stage = stage
        self._per_minute = per_minute
        self._hand = hand
        self._button = Button(stage)

    async def run(self, session: HubSession) -> None:
        await session.subscribe("catalogue")
        await self._button.settle(session)
        while True:
            await self._stage.next_arrival(self._per_minute)
            item = self._wanted(session)
            if item is None:
                await session.until(lambda: self._wanted(session) is not None)
            elif item.needs_identity:
                await self._take_with_card(session, item)
            else:
                await self._button.press(session, hub.TakeTicket(item=item.id))

    def _wanted(self, session: HubSession) -> ItemView | None:
        view = session.views.get("catalogue", {}).get("items")
        if not isinstance(view, ItemsView):
            return None
        possible = [
            item
            for item in view.items
            if item.offered and (self._hand is not None or not item.needs_identity)
        ]
        return (
            self._stage.pick(possible, [3 if one.hot else 1 for one in possible])
            if possible
            else None
        )

    async def _take_with_card(self, session: HubSession, item: ItemView) -> None:
        assert self._hand is not None
        if not await self._button.ask(session, hub.BeginIdentity()):
            return
        while not session.identities.empty():
            session.identities.get_nowait()
        self._hand.put(DEMO_CARDS[self._stage.pick(GOOD_CARDS)])
        try:
            token = await self._token(session)
        finally:
            self._hand.take()
        if token is not None:
            await self._button.press(session, hub.TakeTicket(item=item.id, identity=token))
        await self._button.ask(session, hub.EndIdentity())

    async def _token(self, session: HubSession) -> str | None:
        if not await session.until(lambda: not session.identities.empty(), READ_S):
            self._stage.counts.refused["no_card_read"] += 1
            return None
        match session.identities.get_nowait():
            case hub.IdentityRead(token=token):
                return token
            case hub.IdentityRefused(problem=problem):
                self._stage.counts.refused[problem.code] += 1
                return None


class Clerk:
    """A member of staff at a window: calls, waits for the visitor, serves, finishes, calls again."""

    def __init__(self, stage: Stage, window: WindowId, number: str, password: str) -> None:
        self._stage = stage
        self._window = window
        self._login = hub.Login(number=number, password=password)
        self._button = Button(stage)

    async def run(self, session: HubSession) -> None:
        while not await self._button.ask(session, self._login):
            await self._stage.clock.sleep(LOOK_S)
        await session.subscribe(f"window:{self._window}")
        await self._button.settle(session)
        while True:
            before = self._view(session)
            await self._act(session, before)
            await session.until(lambda: self._view(session) is not before, LOOK_S)  # noqa: B023 - awaited here

    def _view(self, session: HubSession) -> WindowView | None:
        view = session.views.get(f"window:{self._window}", {}).get("window")
        return view if isinstance(view, WindowView) else None

    async def _act(self, session: HubSession, view: WindowView | None) -> None:
        """The next thing to do at a window that looks like this."""
        habits = self._stage.habits
        if view is None:
            return
        if view.state is not WindowState.OPEN:
            await self._button.press(session, hub.TakeWindow(window=self._window))
        elif view.visit is None:
            if view.waiting:
                await self._stage.spend(habits.pause_s)
                await self._button.press(session, hub.Next())
        elif view.visit.state is TicketState.CALLED:
            await self._stage.spend(habits.walk_s)
            gone = self._stage.happens(habits.no_show)
            await self._button.press(session, hub.Absent() if gone else hub.Begin())
        else:
            await self._stage.spend(habits.serve_s)
            await self._button.press(session, hub.Finish())


class Rater:
    """Visitors at the rating pad of a window; nobody has to rate, and not all do."""

    def __init__(self, stage: Stage, window: WindowId) -> None:
        self._stage = stage
        self._topic = f"rating:{window}"
        self._button = Button(stage)
        self._seen: TicketId | None = None

    async def run(self, session: HubSession) -> None:
        await session.subscribe(self._topic)
        await self._button.settle(session)
        while True:
            await session.until(lambda: self._request(session) is not None)
            request = self._request(session)
            if request is not None:
                self._seen = request.ticket
                await self._answer(session, request)

    def _request(self, session: HubSession) -> RatingRequest | None:
        view = session.views.get(self._topic, {}).get("pad")
        if not isinstance(view, RatingPadView) or view.request is None:
            return None
        return None if view.request.ticket == self._seen else view.request

    async def _answer(self, session: HubSession, request: RatingRequest) -> None:
        habits = self._stage.habits
        mood = self._stage.pick(
            ("rate", "decline", "leave"),
            (habits.rates, habits.declines, max(1 - habits.rates - habits.declines, 0)),
        )
        await self._stage.spend(habits.rate_s)
        if mood == "rate":
            await self._button.press(session, self._rating(request.ticket))
            return
        reason = NotRatedReason.DECLINED
        if mood == "leave":
            self._stage.counts.silent += 1
            await self._stage.passes(RATING_SECONDS)
            reason = NotRatedReason.TIMEOUT
        await self._button.press(session, hub.DeclineRating(ticket=request.ticket, reason=reason))

    def _rating(self, ticket: TicketId) -> hub.SubmitRating:
        level = self._stage.pick(tuple(RatingLevel), self._stage.habits.levels)
        tags = [tag.code for tag in rating_tags().values() if tag.level is level and tag.basic]
        wanted = level in BAD_LEVELS or self._stage.happens(0.4)
        return hub.SubmitRating(
            ticket=ticket,
            level=level,
            tags=(self._stage.pick(tags),) if wanted and tags else (),
            words=self._stage.pick(self._stage.habits.words),
        )
