"""Small situations for tests of the forecast."""

from hallserver.engine.forecast.durations import Durations, Effect, Evidence, Mean, Share, Spread
from hallserver.engine.forecast.scene import MINUTE, Facts
from hallserver.engine.forecast.situation import Desk, Situation, Stream, Visitor
from qingting.contract.ids import ItemId, QueueId, StaffId, WindowId

NOW = 1_795_395_600_000
A, B = QueueId("a"), QueueId("b")
CARE, CARD = ItemId("care"), ItemId("card")
TYPICAL = {CARE: 10.0, CARD: 5.0}


def certain(cv: float = 0.5) -> Durations:
    """A hall that knows its means (the typical ones) and where everybody comes when called, at once."""
    return Durations(
        hall=Evidence(1e9, 0.0),
        today=Effect(0.0, 0.0),
        items={item: Evidence(1e9, 0.0) for item in TYPICAL},
        spreads={item: Spread(cv**2, 1000.0) for item in TYPICAL},
        walk=Mean(0.0, 100.0),
        gap=Mean(0.0, 100.0),
        reaction=Mean(0.1, 100.0),
        absent=Share(0.0, 100.0),
    )


def facts(learned: Durations | None = None) -> Facts:
    return Facts(learned if learned is not None else certain(), TYPICAL, 4)


def visitor(number: int = 0, queue: QueueId = A, **more: object) -> Visitor:
    """Somebody who came ``number`` seconds after everybody's earliest, ten minutes ago."""
    at = NOW - 10 * MINUTE + number * 1000
    base = {"items": (CARE,), "line": queue, "since": at, "came": at}
    return Visitor(queue=queue, **(base | more))  # type: ignore[arg-type]


def newcomer(queue: QueueId = A, **more: object) -> Visitor:
    base = {"items": (CARE,), "line": queue, "since": NOW, "came": NOW}
    return Visitor(queue=queue, **(base | more))  # type: ignore[arg-type]


def desk(number: int, *queues: QueueId, gone: float = 3.0, **more: object) -> Desk:
    """A window that has served ``CARE`` for ``gone`` minutes."""
    begun = NOW - round(gone * MINUTE)
    base: dict[str, object] = {"items": (CARE,), "called": begun, "begun": begun}
    base |= {"clerk": StaffId(f"clerk{number}")}
    return Desk(id=WindowId(f"w{number}"), queues=queues or (A,), **(base | more))  # type: ignore[arg-type]


def idle(number: int, *queues: QueueId, **more: object) -> Desk:
    return desk(number, *queues, items=(), called=0, begun=0, idle=NOW, **more)


def hall(
    desks: list[Desk],
    waiting: list[Visitor] | None = None,
    *,
    due: list[Visitor] | None = None,
    streams: list[Stream] | None = None,
    closing: float | None = None,
) -> Situation:
    """``closing`` in minutes from now."""
    return Situation(
        now=NOW,
        desks=tuple(desks),
        waiting=tuple(waiting or ()),
        due=tuple(due or ()),
        streams=tuple(streams or ()),
        closing=NOW + round(closing * MINUTE) if closing is not None else None,
    )
