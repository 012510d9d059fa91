"""A demonstration hall's engine with nothing around it."""

from hallserver.engine.calling import next_ticket
from hallserver.engine.decide import decide
from hallserver.engine.evolve import evolve
from hallserver.engine.state import HallState, new_state
from qingting.contract import commands as c
from qingting.contract.events import Event
from qingting.contract.ids import BusinessDay, CommandKey, HallId, WindowId
from qingting.contract.people import Person
from qingting.contract.states import CertificateKind
from qingting.demo.builder import build_hall

TUESDAY = 1_795_485_600_000  # 2026-11-24 10:00 in Daqing, a day on which everything is offered
SOMEBODY = Person(
    kind=CertificateKind.RESIDENT_ID,
    masked_name="张*三",
    masked_number="230602********1238",
    sealed="k1.AA==",
    index="00",
)


class SmallHall:
    """The engine with nothing around it."""

    def __init__(self, hall: HallId, at: int) -> None:
        self.state: HallState = new_state()
        self.at = at
        self._keys = 0
        self.do(c.ApplyConfig(config=build_hall(hall)))

    def do(self, command: c.Command) -> None:
        self._keys += 1
        key = CommandKey(f"test:{self._keys:08d}")
        envelope = c.Envelope(key=key, at=self.at, actor="test", command=command)
        for body in decide(self.state, envelope):
            day = self.state.day or BusinessDay("")
            event = Event(s=self.state.seq + 1, at=self.at, bd=day, by="test", cmd=key, b=body)
            evolve(self.state, event)

    def serve_all(self, window: WindowId) -> None:
        """Until nobody waits for this window any more."""
        while next_ticket(self.state, window, self.at) is not None:
            self.do(c.CallNext(window=window))
            self.do(c.BeginService(window=window))
            self.do(c.FinishService(window=window))

    def take(self, item: str) -> None:
        self._keys += 1
        found = self.state.items[next(one for one in self.state.items if one == item)]
        person = SOMEBODY if found.needs_identity else None
        self.do(c.IssueTicket(item=found.id, token=f"t{self._keys:08d}", person=person))
