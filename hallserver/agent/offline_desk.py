"""The kiosk's own desk while the hall is gone: a number, its paper, and its way into the queue later."""

import asyncio
import json
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import structlog

from hallserver.agent.lease_ledger import (
    Given,
    LeaseLedger,
    SavedKit,
    Settled,
    days_owed,
    load_kit,
    prefix_of,
    save_kit,
)
from hallserver.hub.cards import check_card
from qingting.contract.continuity import (
    PERSON_CONTEXT,
    LeasedTicket,
    MergeLeased,
    OfflineKit,
    signed_bytes,
)
from qingting.contract.errors import Refusal
from qingting.contract.hub import CardRead, TakeTicket
from qingting.contract.ids import KeyText, QueueId
from qingting.contract.people import mask_name, mask_number
from qingting.contract.views import ItemView
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.lease_keys import new_lease_token, seal_for, sign

log = structlog.get_logger(__name__)

TOKEN_SECONDS = 120.0
KEPT_DAYS = 7
"""Days for which a ledger is kept once the hall has all its numbers: time to look into a complaint. Then
nothing of the people, sealed as they are, stays on the kiosk."""
DAY_MS, MINUTE_MS = 86_400_000, 60_000


@dataclass(frozen=True, slots=True)
class Shown:
    """Who lies on the reader, masked for the screen; ``box`` is for the hall alone."""

    token: str
    masked_name: str
    masked_number: str
    kind: str
    box: str
    until: float


class OfflineDesk:
    """Gives leased numbers and hands them over. ``folder`` is its disk; one call works at a time."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = asyncio.Lock()
        self._saved: SavedKit | None = None
        self._ledgers: dict[str, LeaseLedger] = {}
        self.shown: Shown | None = None
        self.owing = asyncio.Event()
        """Set when a number waits to be handed over."""

    async def load(self) -> None:
        """Reads what a former process left."""
        async with self._lock:
            self._saved = await asyncio.to_thread(load_kit, self._folder)
            for day in await asyncio.to_thread(days_owed, self._folder):
                self._ledgers[day] = await asyncio.to_thread(LeaseLedger, self._folder, day)
        if self.owed():
            self.owing.set()

    async def keep(self, kit: OfflineKit, skew_ms: int) -> None:
        """Takes over what the hall has just said. Raises ``OSError``."""
        async with self._lock:
            saved = SavedKit(kit=kit, skew_ms=skew_ms)
            await asyncio.to_thread(save_kit, self._folder, saved)
            self._saved = saved
            await asyncio.to_thread(self._clear_old, date.fromisoformat(kit.day))

    def _clear_old(self, today: date) -> None:
        """Deletes old ledgers of which the hall owes no answer."""
        oldest = (today - timedelta(days=KEPT_DAYS)).isoformat()
        for day in [one for one in self._ledgers if one < oldest]:
            if not self._ledgers[day].owed():
                self._ledgers.pop(day).delete()

    # ---- what is possible now -------------------------------------------------------------------

    def now_ms(self) -> int:
        """The hall's time, as far as this machine can know it."""
        return self._clock.now_ms() + (self._saved.skew_ms if self._saved is not None else 0)

    def kit(self) -> OfflineKit:
        """The kit of today; raises ``lease.none`` without one."""
        if self._saved is None:
            raise Refusal("lease.none")
        kit = self._saved.kit
        shift = kit.utc_offset_minutes * MINUTE_MS
        today = date.fromordinal(
            date(1970, 1, 1).toordinal() + (self.now_ms() + shift) // DAY_MS
        ).isoformat()
        if kit.day != today:
            raise Refusal("lease.none")
        return kit

    def left(self, kit: OfflineKit, queue: QueueId) -> int:
        """How many numbers of a queue can still be given."""
        ledger = self._ledgers.get(kit.day)
        if ledger is not None:
            return sum(1 for _ in ledger.free(kit, queue))
        return sum(
            one.last - one.first + 1 - len(one.used) for one in kit.blocks if one.queue == queue
        )

    # ---- who ------------------------------------------------------------------------------------

    def read(self, card: CardRead) -> Shown:
        """Checks a card and keeps its holder for two minutes; raises an ``identity`` refusal."""
        kit = self.kit()
        check_card(card, date.fromisoformat(kit.day))
        name = card.name.strip() or card.name_en.strip()
        number = card.number.strip().upper()
        clear = json.dumps(
            {"kind": card.kind.value, "name": name, "number": number}, ensure_ascii=False
        )
        self.shown = Shown(
            token=secrets.token_urlsafe(16),
            masked_name=mask_name(name),
            masked_number=mask_number(number),
            kind=card.kind.value,
            box=seal_for(kit.seal_key, clear, context=PERSON_CONTEXT),
            until=self._clock.monotonic() + TOKEN_SECONDS,
        )
        return self.shown

    def forget(self) -> None:
        """The citizen left."""
        self.shown = None

    def _holder(self, wish: TakeTicket, items: list[ItemView]) -> Shown | None:
        held = self.shown
        if wish.identity is not None:
            if held is None or held.token != wish.identity or held.until <= self._clock.monotonic():
                raise Refusal("identity.token_expired")
            return held
        for item in items:
            if item.needs_identity:
                raise Refusal("ticket.identity_needed", item=item.name, item_en=item.name_en)
        return None

    # ---- a number -------------------------------------------------------------------------------

    async def take(self, wish: TakeTicket, key: KeyText) -> tuple[Given, Shown | None, bool]:
        """A number that is on the disk when this returns, and True; the same press gets the same number
        again, and False.

        Raises the refusal that says why there is none: ``lease.none``, ``lease.none_left``,
        ``lease.disk``, ``ticket.unknown_item``, or one of identity.
        """
        async with self._lock:
            kit = self.kit()
            ledger = await self._ledger(kit.day)
            if (former := ledger.given.get(key)) is not None:
                return former, None, False
            items = _items(kit, wish)
            held = self._holder(wish, items)
            given = self._signed(kit, ledger, wish, items, held, key)
            try:
                await asyncio.to_thread(ledger.append, given)
            except OSError as error:
                log.warning("agent.ledger_failed", why=type(error).__name__)
                raise Refusal("lease.disk") from error
            self.forget()
        self.owing.set()
        return given, held, True

    async def _ledger(self, day: str) -> LeaseLedger:
        if day not in self._ledgers:
            try:
                self._ledgers[day] = await asyncio.to_thread(LeaseLedger, self._folder, day)
            except OSError as error:
                raise Refusal("lease.disk") from error
        return self._ledgers[day]

    def _signed(
        self,
        kit: OfflineKit,
        ledger: LeaseLedger,
        wish: TakeTicket,
        items: list[ItemView],
        held: Shown | None,
        key: KeyText,
    ) -> Given:
        queue = items[0].queue
        serial = next(ledger.free(kit, queue), None)
        if serial is None:
            raise Refusal("lease.none_left", queue=items[0].name, queue_en=items[0].name_en)
        signing = bytes.fromhex(kit.key)
        ticket = LeasedTicket(
            day=kit.day,
            queue=queue,
            serial=serial,
            item=wish.item,
            more=wish.more,
            party=wish.party,
            priority=wish.priority,
            token=new_lease_token(signing, queue, serial),
            taken_at=self.now_ms(),
            language=wish.language,
            elder=wish.elder,
            person=held.box if held is not None else "",
        )
        return Given(key=key, ticket=ticket, signature=sign(signing, signed_bytes(ticket)))

    def number_of(self, given: Given) -> str:
        """The number as printed, A9001."""
        prefix = prefix_of(self._saved.kit, given.ticket.queue) if self._saved is not None else ""
        return f"{prefix}{given.ticket.serial:03d}"

    # ---- into the queue -------------------------------------------------------------------------

    def owed(self) -> list[Given]:
        """What the hall does not have yet, oldest day first."""
        return [one for day in sorted(self._ledgers) for one in self._ledgers[day].owed()]

    def given_today(self) -> list[Given]:
        """Every number of the kit's day, merged or not."""
        ledger = self._ledgers.get(self._saved.kit.day) if self._saved is not None else None
        return list(ledger.given.values()) if ledger is not None else []

    def refused(self) -> list[Settled]:
        """Numbers of all days here that the hall did not take."""
        return [one for ledger in self._ledgers.values() for one in ledger.refused()]

    def damaged(self) -> int:
        return sum(ledger.damaged for ledger in self._ledgers.values())

    async def settle(self, given: Given, code: str = "") -> None:
        """The hall has answered for good. Raises ``OSError``."""
        ticket = given.ticket
        line = Settled(queue=ticket.queue, serial=ticket.serial, code=code)
        async with self._lock:
            await asyncio.to_thread(self._ledgers[ticket.day].append, line)


def merge_of(given: Given) -> MergeLeased:
    """What is told to the hall."""
    return MergeLeased(ticket=given.ticket, signature=given.signature)


def _items(kit: OfflineKit, wish: TakeTicket) -> list[ItemView]:
    known = {one.id: one for one in kit.items}
    chosen = (wish.item, *wish.more)
    if any(one not in known for one in chosen):
        raise Refusal("ticket.unknown_item")
    if len(set(chosen)) < len(chosen):
        raise Refusal("ticket.item_twice")
    return [known[one] for one in chosen]
