"""The loudspeakers of a hall: those at the hall server are played here, those at an agent's machine are told to play.

What is to be said, by whom and when follows from the hall's log (:mod:`hallserver.boards.speaking`). Here is only
known who is in the middle of a call, until the log says how it ended or nobody can have said it any more.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from hallserver.boards.announce import announcement_of_call, due_aloud, sound_now
from hallserver.boards.hosted import StatusReporter
from hallserver.boards.speaking import Saying, own_volume
from hallserver.boards.voice import Voice
from hallserver.devices.api import PlayResult, Speaker
from hallserver.devices.drivers.peripheral import OpenLine, open_line
from hallserver.devices.sound import sound_of
from hallserver.devices.supervisor import DeviceSupervisor
from hallserver.devices.waiting import first_of, within
from hallserver.hall import Hall
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.config import Device
from qingting.contract.errors import Refusal
from qingting.contract.hub_acts import ActOrder, ActTold
from qingting.contract.hub_sound import SayCall
from qingting.contract.ids import DeviceId
from qingting.contract.states import ActOutcome, Condition, DeviceKind, DeviceState, PlayOutcome
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor
from qingting.kernel.security.device_keys import new_token

log = structlog.get_logger(__name__)

LEAST_TEST = 10
"""Percent at which a test sound is played at least: somebody wants to hear it."""
LOOK_S = 1.0
"""How often it is looked for something to say although nothing happened: quiet hours end, calls become too old."""
AGENT_SECONDS = 90.0
"""An agent that has not told of a call by then is not going to."""
_HERE = (DeviceState.READY, DeviceState.DEGRADED)
_NEWS = (
    e.TicketCalled,
    e.TicketRecalled,
    e.CallAnnounced,
    e.CallUnsaid,
    e.DeviceChanged,
    e.ServiceBegun,
    e.TicketNoShow,
    e.ConfigApplied,
    e.ConfigEdited,
)
TellAgent = Callable[[DeviceId, SayCall], bool]
"""Sends an order to the agent of a loudspeaker; False when that is not connected."""


def speakers_of(hall: Hall) -> tuple[Device, ...]:
    """The loudspeakers at the hall server itself: those with an address that belong to no kiosk or agent."""
    config = hall.state.config
    devices = config.devices if config is not None else ()
    return tuple(
        one for one in devices if one.kind is DeviceKind.SPEAKER and one.url and one.parent is None
    )


def act_told(act: str, result: PlayResult) -> ActTold:
    """What became of a test sound."""
    if result.outcome is PlayOutcome.PLAYED:
        return ActTold(act=act, outcome=ActOutcome.DONE)
    note = result.cause.value if result.cause is not None else ""
    return ActTold(act=act, outcome=ActOutcome.FAILED, code="act.not_ready", note=note)


@dataclass(frozen=True, slots=True)
class SpeakerHands:
    """Remote hands at one loudspeaker of the hall server; see ``hub.acts.Performer``."""

    desk: "SpeakerDesk"
    device: DeviceId

    def send(self, message: ActOrder) -> None:
        self.desk.carry_out(self, message)


EndOfAct = Callable[[SpeakerHands, ActTold], c.EndAct]
"""Turns what became of an act into a command."""


class SpeakerDesk:
    """All loudspeakers of one hall. ``heard`` is told of each at the hall server that is there."""

    def __init__(
        self,
        hall: Hall,
        clock: Clock,
        voice: Voice,
        *,
        heard: Callable[[DeviceId], None],
        tell_agent: TellAgent,
        end_act: EndOfAct,
        opener: OpenLine = open_line,
    ) -> None:
        self._hall = hall
        self._clock = clock
        self._voice = voice
        self._heard = heard
        self._tell_agent = tell_agent
        self._end_act = end_act
        self._opener = opener
        self._wake = asyncio.Event()
        self._reporter = StatusReporter(hall, clock)
        self._saying: dict[DeviceId, int] = {}
        self._tasks = Supervisor("speakers")
        self.here: dict[DeviceId, Speaker] = {}
        """Loudspeakers at the hall server."""

    async def run(self) -> None:
        """Until cancelled; loudspeakers that come, go or change with the configuration are followed."""
        unsubscribe = self._hall.subscribe(self._committed)
        try:
            while True:
                await self._drive(speakers_of(self._hall))
        finally:
            unsubscribe()
            self.here = {}
            self._saying.clear()

    def _committed(self, events: tuple[e.Event, ...]) -> None:
        for event in events:
            if isinstance(event.b, e.CallAnnounced | e.CallUnsaid):
                self._over(event.b.device, event.b.call_no)
        if any(isinstance(event.b, _NEWS) for event in events):
            self._wake.set()

    async def _drive(self, devices: tuple[Device, ...]) -> None:
        sound = await self._reporter.sound(devices)
        hosted = await asyncio.to_thread(
            DeviceSupervisor, sound, clock=self._clock, opener=self._opener
        )
        self._saying.clear()
        self.here = hosted.speakers
        self._reporter.follow(hosted)
        self._tasks = Supervisor("speakers")
        async with hosted, self._tasks:
            await first_of(self._keep_speaking(devices), self._reporter.run())

    async def _keep_speaking(self, devices: tuple[Device, ...]) -> None:
        while speakers_of(self._hall) == devices:
            self._wake.clear()
            for device, speaker in self.here.items():
                if speaker.status.state in _HERE:
                    self._heard(device)
            self._begin(due_aloud(self._hall.state, self._saying, self._clock.now_ms()))
            try:
                await within(self._clock, LOOK_S, self._wake.wait())
            except TimeoutError:
                continue

    # ---- remote hands ----------------------------------------------------------------------------

    def performers(self, device: DeviceId) -> tuple["SpeakerHands", ...]:
        """Who carries out what a loudspeaker of the hall server is asked to do; nobody for any other device."""
        return (SpeakerHands(self, device),) if device in self.here else ()

    def carry_out(self, hands: "SpeakerHands", order: ActOrder) -> None:
        _ = self._tasks.run(f"act/{order.act}", self._try_out(hands, order))

    async def _try_out(self, hands: "SpeakerHands", order: ActOrder) -> None:
        """The test sound, and what became of it."""
        state, device = self._hall.state, hands.device
        volume = sound_now(state, self._clock.now_ms()).volume * own_volume(state, device) // 100
        sound = sound_of(await self._voice.test_sound())
        result = await self.here[device].play(sound, volume=max(volume, LEAST_TEST))
        end = self._end_act(hands, act_told(order.act, result))
        try:
            _ = await self._hall.submit(
                end, key=f"system:act:{end.act}:{end.outcome.value}", actor="system"
            )
        except Refusal as refusal:
            # Nobody tells again: the desk of acts ends it as unknown.
            log.warning("speaker.act_not_told", act=order.act, code=refusal.code)

    # ---- one call --------------------------------------------------------------------------------

    def _begin(self, sayings: Iterable[Saying]) -> None:
        for one in sayings:
            speaker = self.here.get(one.speaker)
            if speaker is not None and speaker.status.state not in _HERE:
                continue  # the hall has not heard yet that it is gone
            self._saying[one.speaker] = one.call_no
            said = self._said_here(one) if one.speaker in self.here else self._said_there(one)
            _ = self._tasks.run(f"say/{one.speaker}/{one.call_no}", said)

    def _over(self, speaker: DeviceId, call_no: int) -> None:
        if self._saying.get(speaker) == call_no:
            del self._saying[speaker]
            self._wake.set()

    async def _said_here(self, one: Saying) -> None:
        try:
            announcement = announcement_of_call(self._hall.state, one.call_no)
            sound = sound_of(await self._voice.sound(announcement))
        except (Refusal, ValueError) as error:
            log.warning("speaker.no_words", device=one.speaker, why=str(error))
            await self._report(one, PlayOutcome.FAILED, None)
            return
        result = await self.here[one.speaker].play(sound, volume=one.volume)
        await self._report(one, result.outcome, result.cause)

    async def _said_there(self, one: Saying) -> None:
        """An agent tells the hall by itself; one that does not has lost the call."""
        path = f"/voice/{one.call_no}.wav"
        order = SayCall(
            device=one.speaker, call_no=one.call_no, path=path, volume=min(100, one.volume)
        )
        if not self._tell_agent(one.speaker, order):
            await self._report(one, PlayOutcome.FAILED, Condition.OFFLINE)
            return
        await self._clock.sleep(AGENT_SECONDS)
        if self._saying.get(one.speaker) == one.call_no:
            await self._report(one, PlayOutcome.FAILED, Condition.COMM_ERROR)

    async def _report(self, one: Saying, outcome: PlayOutcome, cause: Condition | None) -> None:
        command: c.Command = c.ReportAnnounced(device=one.speaker, call_no=one.call_no)
        if outcome is PlayOutcome.FAILED:
            command = c.ReportUnsaid(device=one.speaker, call_no=one.call_no, cause=cause)
        try:
            await self._hall.submit(
                command, key=f"system:{one.speaker}:{new_token()}", actor="system"
            )
        except Refusal as refusal:
            # The call is still owed by the log: it is said again rather than lost.
            log.warning("speaker.report_refused", device=one.speaker, code=refusal.code)
            await self._clock.sleep(LOOK_S)
        self._over(one.speaker, one.call_no)
