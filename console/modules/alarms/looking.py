"""The look: what holds now becomes alarms, in one transaction of one worker at a time."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from console.core.channels import Channel
from console.core.permissions import EVERYWHERE
from console.core.retention import DAY_MS, RetentionSettings
from console.core.uow import Uow
from console.halls.api import STALL_MS, HallsApi, HallStatus, LinkState
from console.modules.alarms import bulk
from console.modules.alarms import repository as repo
from console.modules.alarms.api import AlarmInfo, Maintenance
from console.modules.alarms.domain import (
    JUST_RAISED,
    Cause,
    Change,
    Clear,
    Key,
    Place,
    Raise,
    Situation,
    decide,
)
from console.modules.alarms.rules import CONDITIONS, HallTrouble, HeldRule, RuleForm
from console.modules.alarms.telling import Teller
from console.modules.alarms.tree import Node, Tree, group
from console.modules.devices.api import GONE, DeviceInfo, DevicesApi, Span
from qingting.contract.states import DeviceState
from qingting.kernel.aio.clock import Clock

_TOLD_MS = 8 * 86_400_000
"""How long an alarm's end may wait to be told: longer than any rule's ``again_seconds``."""


class Lookout:
    """Decides about alarms. Whatever was missed while nobody looked, the next look finds: what holds is read from
    the halls' present, what is over is handed out once by the devices' history."""

    def __init__(
        self,
        clock: Clock,
        halls: HallsApi,
        devices: DevicesApi,
        channels: Sequence[Channel],
        utc_offset_minutes: int,
        retention: RetentionSettings,
    ) -> None:
        self._clock = clock
        self._halls = halls
        self._devices = devices
        self._channels = channels
        self._offset = utc_offset_minutes
        self._keep_ms = retention.keep_alarms_days * DAY_MS

    async def look(self, uow: Uow) -> bool:
        """False when another worker is at it."""
        if not await repo.try_lock(uow):
            return False
        now = self._clock.now_ms()
        rules = await repo.rules(uow, await repo.watched_since(uow, now))
        # Before the present: what ends in between is then gone from it, and is handed out at the next look.
        ended = await self._news(uow, now)
        halls = await self._halls.halls(uow, EVERYWHERE)
        devices = await self._devices.devices(uow, EVERYWHERE)
        tree = tree_of(devices)
        situation = await self._situation(uow, now, rules, halls, devices, ended)
        changes = decide(situation)
        numbers = {key: one.no for key, one in situation.standing.items()}
        for round_ in rounds(changes):
            await _apply(uow, round_, numbers)
        teller = await Teller.of(uow, halls, self._channels, self._offset, now)
        changed = await self._arrange(uow, teller, rules, tree, devices)
        if changes or changed:
            uow.changed("alarms")
        return True

    async def _news(self, uow: Uow, now: int) -> list[Span]:
        """What is over since the last look. A history built again tells of long ago once more: what is forgotten by
        now raises nothing."""
        forgotten = now - self._keep_ms
        ended = await self._devices.take_ended(uow)
        return [one for one in ended if (one.ended or now) > forgotten]

    async def _situation(
        self,
        uow: Uow,
        now: int,
        rules: Sequence[HeldRule],
        halls: Sequence[HallStatus],
        devices: Sequence[DeviceInfo],
        ended: Sequence[Span],
    ) -> Situation:
        tree = tree_of(devices)
        parked: dict[str, int] = {str(one.hall): one.at for one in await self._halls.parked(uow)}
        spans = [*await self._devices.refusals(uow), *ended]
        causes = [
            *_of_halls(halls, parked, now),
            *_of_devices(devices),
            *(_of_span(span, tree) for span in spans),
        ]
        repeats = [one.rule for one in rules if one.rule.form is RuleForm.REPEAT]
        longest = max((one.seconds for one in repeats), default=0)
        begins = await self._devices.begins(
            uow, now - longest * 1000, min((one.times for one in repeats), default=1000)
        )
        remembered = max((one.rule.again_seconds for one in rules), default=0)
        places = {one.place for one in causes} | {Place(key[0], key[1]) for key in begins}
        earliest = min(
            (*(one.began for one in causes), *(at[0] for at in begins.values())), default=now
        )
        return Situation(
            now=now,
            rules=rules,
            causes=causes,
            begins={(str(hall), device, what): at for (hall, device, what), at in begins.items()},
            # A line may break between the two readings: whoever is silent in either of them is.
            silent={one.id for one in halls if one.state is not LinkState.ONLINE}
            | {one.hall for one in devices if not one.fresh},
            standing=await repo.standing(uow, now - max(longest, remembered) * 1000),
            handled=await repo.handled(uow, places, earliest),
            tree=tree,
        )

    async def _arrange(
        self,
        uow: Uow,
        teller: Teller,
        rules: Sequence[HeldRule],
        tree: Tree,
        devices: Sequence[DeviceInfo],
    ) -> bool:
        """Which alarm stands behind which, what is maintained, and whom that leaves to be told."""
        alarms, now = await repo.open_alarms(uow), teller.now
        roots = group(alarms, tree)
        works = [one for one in await repo.maintenance(uow, now) if one.holds(now)]
        behind = _behind(alarms, roots, devices)
        moved: dict[int, tuple[int, int, bool]] = {}
        news: list[AlarmInfo] = []
        told: list[AlarmInfo] = []
        for one in alarms:
            root, count = roots.get(one.no, 0), behind.get(one.no, 0)
            maintained = is_maintained(one.hall, one.device, works, tree)
            if (root, count, maintained) != (one.root, one.behind, one.maintained):
                moved[one.no] = (root, count, maintained)
            if root or maintained:
                continue
            if one.told:
                told.append(one)
            elif one.notify:
                news.append(one)
        await bulk.set_places(uow, moved)
        await teller.raised(uow, news)
        called = await teller.escalate(uow, told)
        return await _tell_ends(uow, teller, rules) or called or bool(moved or news)


async def _tell_ends(uow: Uow, teller: Teller, rules: Sequence[HeldRule]) -> bool:
    """An end is told once it has lasted: what comes and goes is not told each time."""
    waits = {one.rule.id: one.rule.again_seconds * 1000 for one in rules}
    over = [
        one
        for one in await repo.ended_untold(uow, teller.now - _TOLD_MS)
        if teller.now - one.cleared_at >= waits.get(one.rule, 0)
    ]
    await teller.ended(uow, over)
    return bool(over)


def rounds(changes: Sequence[Change]) -> list[list[Change]]:
    """The changes in their order, as few times one after the other as possible: a key comes once in each round."""
    found: list[list[Change]] = []
    seen: Counter[Key] = Counter()
    for change in changes:
        if seen[change.key] == len(found):
            found.append([])
        found[seen[change.key]].append(change)
        seen[change.key] += 1
    return found


async def _apply(uow: Uow, changes: Sequence[Change], numbers: dict[Key, int]) -> None:
    """``changes`` are of different keys; ``numbers`` hold the alarm of each key and follow what is made."""
    raises = await bulk.claim(uow, [one for one in changes if isinstance(one, Raise)])
    new = [one for one in raises if one.no == 0]
    numbers |= await bulk.add_alarms(uow, new)
    again = {numbers[one.key] if one.no == JUST_RAISED else one.no: one for one in raises if one.no}
    numbers |= {one.key: no for no, one in again.items()}
    over = {numbers[one.key]: one for one in changes if isinstance(one, Clear)}
    await bulk.raise_again(uow, again)
    await bulk.clear(uow, over)
    steps = [(numbers[one.key], one.at, "raised") for one in new]
    steps += [(no, one.at, "again") for no, one in again.items()]
    steps += [(no, one.at, "cleared") for no, one in over.items()]
    await bulk.add_steps(uow, steps)


# -- what holds -------------------------------------------------------------------------------


def tree_of(devices: Sequence[DeviceInfo]) -> Tree:
    return Tree.of({(one.hall, one.id): Node(one.kind, one.parent) for one in devices})


def _of_halls(halls: Sequence[HallStatus], parked: Mapping[str, int], now: int) -> Iterator[Cause]:
    for hall in halls:
        if hall.state is LinkState.OFFLINE:
            yield _line(hall, HallTrouble.OFFLINE, hall.since)
        elif hall.state is LinkState.QUARANTINED:
            since = hall.fork.found_at if hall.fork else hall.since
            yield _line(hall, HallTrouble.QUARANTINED, since)
        elif hall.state is LinkState.ONLINE and hall.lag_ms(now) > STALL_MS:
            yield _line(hall, HallTrouble.STALLED, hall.oldest_unacked)
        if hall.parked:
            yield _line(hall, HallTrouble.PARKED, parked.get(hall.id, hall.received_at))
        if hall.backup_bad:
            yield _line(hall, HallTrouble.BACKUP, hall.backup_bad)


def _line(hall: HallStatus, what: HallTrouble, began: int) -> Cause:
    return Cause(place=Place(hall.id, ""), kind=None, what=what.value, began=began)


def _of_devices(devices: Sequence[DeviceInfo]) -> Iterator[Cause]:
    for one in devices:
        if not one.fresh:
            continue
        place = Place(one.hall, one.id)
        if one.gone:
            since = one.gone_since
            yield Cause(place=place, kind=one.kind, what=GONE, began=since)
        if one.state in (DeviceState.ABSENT, DeviceState.LOST):
            continue
        for each in one.conditions:
            if each.condition.value in CONDITIONS:
                yield Cause(place=place, kind=one.kind, what=each.condition.value, began=each.since)


def _of_span(span: Span, tree: Tree) -> Cause:
    place = Place(span.hall, span.device)
    return Cause(
        place=place, kind=tree.kind(place), what=span.what, began=span.began, ended=span.ended
    )


# -- what stands behind what ------------------------------------------------------------------


def _behind(
    alarms: Sequence[AlarmInfo], roots: Mapping[int, int], devices: Sequence[DeviceInfo]
) -> dict[int, int]:
    """Devices behind each root: those with alarms of their own; behind a hall's line all that it has."""
    places: dict[int, set[tuple[str, str]]] = {}
    for one in alarms:
        if one.no in roots:
            places.setdefault(roots[one.no], set()).add((one.hall, one.device))
    found = {}
    for one in alarms:
        if one.what == HallTrouble.OFFLINE:
            there = {
                d.id for d in devices if d.hall == one.hall and d.state is not DeviceState.ABSENT
            }
            found[one.no] = len(there)
        elif one.no in places:
            found[one.no] = len(places[one.no] - {(one.hall, one.device)})
    return found


def is_maintained(hall: str, device: str, works: Sequence[Maintenance], tree: Tree) -> bool:
    """True when the hall, the device or what it hangs on is being worked on."""
    node = tree.nodes.get((hall, device))
    covered = {"", device, node.parent if node else ""}
    return any(one.hall == hall and one.device in covered for one in works)
