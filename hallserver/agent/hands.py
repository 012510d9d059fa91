"""Remote hands at a kiosk's machine: what the hall asks of this agent, each act once, its outcome until it is known."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog

from hallserver.agent.act_ledger import ActLedger, Outcome
from hallserver.agent.diagnostics import PROGRAM_VERSION, diagnostics
from hallserver.agent.loudspeakers import TEST, TEST_PERCENT, Loudspeakers
from hallserver.agent.machine import Machine
from hallserver.agent.model_trial import ModelTrial
from hallserver.agent.proof_print import proof_print
from hallserver.agent.settings import AgentSettings
from hallserver.devices.api import DeviceStatus, PlayResult, TicketPrinter
from hallserver.devices.supervisor import DeviceSupervisor
from qingting.contract import acts as a
from qingting.contract.errors import Refusal, error_texts
from qingting.contract.hub import Request, Result
from qingting.contract.hub_acts import ActGoing, ActOrder, HandsInForce
from qingting.contract.ids import DeviceId
from qingting.contract.releases import Runs, RunsReport
from qingting.contract.states import ActOutcome, Condition, PlayOutcome, PrintOutcome
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor

log = structlog.get_logger(__name__)

AskHall = Callable[[Request, str | None], Awaitable[Result]]
PLAN_S = 15.0
"""Pause between two looks at the screen's plan."""
AGAIN_S = 1.0
LOW_MM = 5_000
"""A roll that should have less than this left is low, for a printer without a sensor for it."""
_OUTCOMES = {
    PrintOutcome.PRINTED: (ActOutcome.DONE, ""),
    PrintOutcome.FAILED: (ActOutcome.FAILED, "act.not_ready"),
    PrintOutcome.UNKNOWN: (ActOutcome.UNKNOWN, "act.no_answer"),
}


class RestartAskedError(Exception):
    """The process is to end, and whoever watches over it to start it again."""


class Hands:
    """``busy`` is true while a ticket is printed; ``rewire`` is called when all drivers are new, ``recount`` when the
    paper of a printer is another."""

    def __init__(
        self,
        settings: AgentSettings,
        clock: Clock,
        devices: DeviceSupervisor,
        tasks: Supervisor,
        *,
        loudspeakers: Loudspeakers,
        busy: Callable[[], bool],
        rewire: Callable[[], None],
        recount: Callable[[], None],
        machine: Machine | None = None,
    ) -> None:
        self.skew_ms = 0
        """The hall's clock minus ours."""
        self._settings = settings
        self._clock = clock
        self._devices = devices
        self._tasks = tasks
        self._busy = busy
        self._recount = recount
        self._loudspeakers = loudspeakers
        self._machine = machine or Machine(settings.machine)
        self._models = ModelTrial(settings, clock, devices, rewire)
        self._ledger = ActLedger()
        self._outcomes = asyncio.Event()
        self._models_owed = ""
        """The change of models whose outcome the hall does not have."""
        self._going: list[str] = []
        self._gone = asyncio.Event()
        self._in_force = HandsInForce()
        self._applied: dict[str, int | bool] = {}

    # ---- from the hall ---------------------------------------------------------------------------

    def order(self, order: ActOrder) -> None:
        """A known act is not carried out again; its outcome is told as it was."""
        if self._ledger.begin(order.act):
            _ = self._tasks.run(f"act/{order.act}", self._carry_out(order))

    async def _carry_out(self, order: ActOrder) -> None:
        late = self._clock.now_ms() + self.skew_ms > order.answer_by
        try:
            outcome = Outcome(ActOutcome.EXPIRED, "act.expired") if late else await self._do(order)
        except Refusal as refusal:
            outcome = _refused(refusal)
        except Exception:
            self._settle(order.act, Outcome(ActOutcome.UNKNOWN, "act.failed"))
            raise
        if outcome is not None:
            self._settle(order.act, outcome)

    def _settle(self, act: str, outcome: Outcome) -> None:
        log.info("agent.act", act=act, outcome=outcome.outcome, code=outcome.code)
        self._ledger.settle(act, outcome)
        self._outcomes.set()

    def put_in_force(self, hands: HandsInForce) -> None:
        """What the hall says was set here, by this process or one before it."""
        former, self._in_force = self._in_force, hands
        # Until the hall has the outcome of a change of models, what it says is in force is what was before.
        models_settled = not self._models.running and not self._models_owed
        _ = self._tasks.run("hands", self._follow(hands, models_settled))
        if former.rolls != hands.rolls:
            self._recount()

    async def _follow(self, hands: HandsInForce, models_settled: bool) -> None:
        try:
            if hands.volume is not None:
                await self._apply("volume", hands.volume)
            if hands.brightness is not None:
                await self._apply("brightness", hands.brightness)
            await self._follow_plan()
        except Refusal as refusal:
            log.warning("agent.hands_not_followed", code=refusal.code)
        if models_settled:
            await self._models.take_up(hands.bundle)
            self._outcomes.set()

    # ---- to the hall -----------------------------------------------------------------------------

    async def report(self, ask: AskHall) -> None:
        """Tells what runs here, and outcomes, in every connection until the hall has them."""
        reported: Runs | None = None
        while True:
            self._outcomes.clear()
            if (runs := self._runs()) != reported:
                await ask(RunsReport(runs=runs), None)
                reported = runs
            for act in self._going:
                await ask(ActGoing(act=act), None)
                self._gone.set()
            for told, parts in self._ledger.owed():
                for part in parts:
                    await ask(part, None)
                result = await ask(told, f"act.told:{told.act}")
                if result.ok or not _may_retry(result):
                    self._ledger.acknowledge(told.act)
                    if told.act == self._models_owed:
                        self._models_owed = ""
            if self._ledger.owed() and not self._outcomes.is_set():
                await self._clock.sleep(AGAIN_S)
            else:
                await self._outcomes.wait()

    def _runs(self) -> Runs:
        bundle = self._models.bundle
        return Runs(
            program=self._settings.build or PROGRAM_VERSION,
            bundle=bundle.id if bundle is not None else "",
        )

    async def leave_when_asked(self) -> None:
        """Ends with :class:`RestartAskedError` once the hall knows that this process goes."""
        await self._gone.wait()
        raise RestartAskedError

    def conditions_of(self, status: DeviceStatus) -> frozenset[Condition]:
        """With ``paper_low`` by estimate where a printer has no sensor for it and the roll's length is known."""
        printer = self._devices.printers.get(status.device)
        roll = self._in_force.rolls.get(status.device)
        if printer is None or printer.senses_low_paper or roll is None:
            return status.conditions
        rest = roll.rest_mm
        low = rest is not None and rest < min(LOW_MM, roll.metres * 100)
        return status.conditions | {Condition.PAPER_LOW} if low else status.conditions

    # ---- acts ------------------------------------------------------------------------------------

    async def _do(self, order: ActOrder) -> Outcome | None:
        """None: the outcome is that this process is gone and back."""
        match order.action:
            case a.PrintTest():
                return await self._print_test(order)
            case a.PlayTest():
                return _of_sound(await self._loudspeakers.play(order.device, TEST, TEST_PERCENT))
            case a.RecoverPrinter():
                still = await self._printer(order.device).recover()
                return _done() if still is None else _still(still)
            case a.RestartAgent():
                if self._busy() or self._models.running:
                    raise Refusal("act.busy")
                self._going.append(order.act)
                self._outcomes.set()
                return None
            case a.FetchDiagnostics():
                return Outcome(ActOutcome.DONE, file=await self._diagnostics())
            case a.UseProfiles(trial_s=seconds):
                return await self._use_models(order.act, order.bundle, seconds)
            case _:
                return await self._at_machine(order.action)

    async def _at_machine(self, action: a.Action) -> Outcome:
        match action:
            case a.SetVolume(percent=percent):
                return _done(await self._apply("volume", percent, again=True))
            case a.SetBrightness(percent=percent):
                return _done(await self._apply("brightness", percent, again=True))
            case a.SwitchScreen(on=on):
                return _done(await self._apply("screen", on, again=True))
            case a.PlanScreen():
                return _done(await self._machine.check_screen())
            case a.RestartBrowser():
                return _done(await self._machine.restart_browser())
            case _:
                raise Refusal("act.not_supported")

    def _printer(self, device: DeviceId) -> TicketPrinter:
        printer = self._devices.printers.get(device)
        if printer is None:
            raise Refusal("device.unknown")
        return printer

    async def _print_test(self, order: ActOrder) -> Outcome:
        printer = self._printer(order.device)
        device = next(one for one in self._settings.peripherals if one.id == order.device)
        bundle = self._models.bundle
        job = proof_print(
            order.act,
            device,
            model=printer.status.detail,
            at=self._clock.now_ms() + self.skew_ms,
            offset_minutes=self._in_force.utc_offset_minutes,
            models=bundle.id if bundle is not None else "",
        )
        result = await printer.print(job)
        outcome, code = _OUTCOMES[result.outcome]
        note = result.cause.value if result.cause is not None else ""
        return Outcome(outcome, code, {"mm": result.mm} if result.mm else {}, note)

    async def _use_models(
        self, act: str, bundle: a.ProfileBundle | None, seconds: float
    ) -> Outcome:
        if self._busy() or self._models.running:
            raise Refusal("act.busy")
        self._models_owed = act
        return await self._models.use(bundle, seconds)

    async def _diagnostics(self) -> bytes:
        bundle = self._models.bundle
        facts: dict[str, str | int] = {
            "device": self._settings.device,
            "kiosk": self._settings.kiosk,
            "build": self._settings.build or "—",
            "clock_skew_ms": self.skew_ms,
            "models": bundle.id if bundle is not None else "shipped",
            "machine": ", ".join(f"{key}={value}" for key, value in self._applied.items()) or "—",
        }
        library = self._settings.library()
        if bundle is not None:
            library = library.extended(bundle.files)
        return await asyncio.to_thread(
            diagnostics, self._settings, self._devices.statuses(), library, facts=facts
        )

    # ---- the machine -----------------------------------------------------------------------------

    async def _apply(self, what: str, value: int | bool, *, again: bool = False) -> str:
        """Sets it at the machine unless this process has just done so."""
        if not again and self._applied.get(what) == value:
            return ""
        match what:
            case "volume":
                program = await self._machine.set_volume(value)
            case "brightness":
                program = await self._machine.set_brightness(value)
            case _:
                program = await self._machine.switch_screen(bool(value))
        self._applied[what] = value
        return program

    async def keep_plan(self) -> None:
        """Switches the screen when its plan says so, with or without the hall."""
        while True:
            await self._clock.sleep(PLAN_S)
            try:
                await self._follow_plan()
            except Refusal as refusal:
                log.warning("agent.hands_not_followed", code=refusal.code)

    async def _follow_plan(self) -> None:
        hands = self._in_force
        if not hands.hours and hands.screen_on is None and "screen" not in self._applied:
            return  # nobody has ever spoken of the screen: it is left alone
        local = datetime.fromtimestamp((self._clock.now_ms() + self.skew_ms) / 1000, UTC)
        local += timedelta(minutes=hands.utc_offset_minutes)
        minute = local.hour * 60 + local.minute
        on = a.screen_is_on(hands.hours, hands.screen_on, local.isoweekday(), minute)
        await self._apply("screen", on)


def _done(note: str = "") -> Outcome:
    return Outcome(ActOutcome.DONE, note=note)


def _still(condition: Condition) -> Outcome:
    return Outcome(ActOutcome.FAILED, "act.not_ready", note=condition.value)


def _of_sound(result: PlayResult) -> Outcome:
    if result.outcome is PlayOutcome.PLAYED:
        return _done()
    note = result.cause.value if result.cause is not None else ""
    return Outcome(ActOutcome.FAILED, "act.not_ready", note=note)


_TRIED = frozenset({"act.command_failed"})
"""Refusals that come after something was tried."""


def _refused(refusal: Refusal) -> Outcome:
    outcome = ActOutcome.FAILED if refusal.code in _TRIED else ActOutcome.REFUSED
    return Outcome(outcome, refusal.code)


def _may_retry(result: Result) -> bool:
    text = error_texts().get(result.problem.code) if result.problem is not None else None
    return text is not None and text.retry
