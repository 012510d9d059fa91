"""The life that all drivers share: open the line, identify, attend, lose, come back."""

import asyncio
import traceback
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

from hallserver.devices.api import DeviceStatus, Unsubscribe
from hallserver.devices.errors import (
    DeviceConfigError,
    SilentDeviceError,
    TransientDeviceError,
    WrongModelError,
)
from hallserver.devices.profile_types import Transport
from hallserver.devices.transports.opening import LineSettings, open_transport
from hallserver.devices.waiting import first_of, within
from qingting.contract.conditions import blocks_printing
from qingting.contract.config import Device
from qingting.contract.states import Condition, DeviceState
from qingting.kernel.aio.backoff import Backoff
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.pipe import BytePipe, PipeClosedError

log = structlog.get_logger(__name__)

OpenLine = Callable[[str, LineSettings], Awaitable[BytePipe]]
MAX_DETAIL = 80


async def open_line(url: str, settings: LineSettings) -> BytePipe:
    """The lines of :func:`open_transport`."""
    return await open_transport(url, settings)


class Listeners:
    """Callbacks for one kind of news. A failing one is logged and stops nobody else."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Any], None]] = []

    def add(self, listener: Callable[[Any], None]) -> Unsubscribe:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, news: object) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(news)
            except Exception as error:
                # The news may be a person's data, and so may the error's text: only code is shown.
                where = "".join(traceback.format_tb(error.__traceback__)[-2:])
                log.error("device.listener_failed", error=type(error).__name__, where=where)  # noqa: TRY400


class Peripheral(ABC):
    """Ground of the drivers: connection, deadlines, availability.

    A subclass says how to identify the device and how to attend to it. Both raise
    :class:`SilentDeviceError` when it no longer answers; the line is then closed and opened again.
    Loss and return are logged once each.
    """

    def __init__(
        self,
        device: Device,
        transport: Transport,
        *,
        clock: Clock,
        opener: OpenLine = open_line,
    ) -> None:
        self.device = device
        self._transport = transport
        self._clock = clock
        self._opener = opener
        self._pipe: BytePipe | None = None
        self._identified = False
        self._was_ready = False
        self._loss_logged = False
        self._in_step = True
        self._strays = 0
        self._strays_enough = asyncio.Event()
        self._status_listeners = Listeners()
        self._status = DeviceStatus(
            device=device.id,
            kind=device.kind,
            state=DeviceState.ABSENT,
            conditions=frozenset({Condition.OFFLINE}),
            since=clock.now_ms(),
        )

    # ---- for the outside -------------------------------------------------------------------------

    @property
    def status(self) -> DeviceStatus:
        return self._status

    def subscribe(self, listener: Callable[[DeviceStatus], None]) -> Unsubscribe:
        """See ``api.AnyDevice``."""
        return self._status_listeners.add(listener)

    async def run(self) -> None:
        """See ``api.AnyDevice``."""
        wait = self._transport.reconnect
        backoff = Backoff(wait.first_s, wait.factor, wait.max_s, wait.jitter)
        while True:
            try:
                await self._session(backoff)
            except DeviceConfigError as error:
                self._publish(DeviceState.ABSENT, {Condition.OFFLINE}, str(error))
                log.error("device.misconfigured", device=self.device.id, why=str(error))  # noqa: TRY400 - the text says all
                return
            except (TransientDeviceError, PipeClosedError) as error:
                self._unavailable(error)
            except Exception as error:
                self._unavailable(error)
                raise
            await self._clock.sleep(backoff.next())

    # ---- for drivers -----------------------------------------------------------------------------

    @abstractmethod
    async def _identify(self) -> None:
        """Proves that the right device answers; raises when it does not."""

    @abstractmethod
    async def _attend(self) -> None:
        """Watches the device until cancelled; raises when it is lost."""

    @abstractmethod
    def _received(self, data: bytes) -> None:
        """Takes bytes from the line."""

    def _conditions(self) -> frozenset[Condition]:
        """Conditions of a device that answers."""
        return frozenset()

    def _detail(self) -> str:
        return ""

    def _detached(self) -> None:  # noqa: B027 - most drivers have nothing to forget
        """The line is closed: forget partial input and fail whoever waits."""

    async def _write(self, data: bytes) -> None:
        """Raises :class:`PipeClosedError` when no line is open."""
        if self._pipe is None:
            raise PipeClosedError("not connected")
        await self._pipe.write(data)

    def _refresh(self) -> None:
        """Publishes what the driver knows now; without effect before identification."""
        if not self._identified:
            return
        conditions = self._conditions()
        faulty = any(blocks_printing(condition) for condition in conditions)
        state = DeviceState.DEGRADED if faulty else DeviceState.READY
        self._publish(state, conditions, self._detail())

    @property
    def _timeout_s(self) -> float:
        return self._transport.request_timeout_ms / 1000

    async def _keep_trying(self, look: Callable[[], Awaitable[None]]) -> None:
        """Runs ``look``; a few timeouts in a row mean silence (:class:`SilentDeviceError`)."""
        for _ in range(self._transport.fails_to_down):
            try:
                await look()
            except TimeoutError:
                continue
            return
        raise SilentDeviceError("no answer")

    async def _get_in_step(self, question: bytes) -> None:
        """After an unanswered request: asks ``question`` and lets late answers pass by.

        Answers do not say what they answer. One that comes late would be taken for the next one's
        and shift all that follow, so nothing else is asked until none can be due any more. Raises
        TimeoutError when nothing comes at all.
        """
        self._strays = 0
        self._strays_enough.clear()
        await self._write(question)
        await self._await_strays()
        if self._strays == 0:
            raise TimeoutError
        if self._strays == 1:  # this one's or the late one's: the other may still come
            await self._await_strays()
        self._in_step = True

    async def _await_strays(self) -> None:
        try:
            await within(self._clock, self._timeout_s, self._strays_enough.wait())
        except TimeoutError:
            return

    def _stray(self) -> None:
        """An answer came that nobody waits for."""
        self._strays += 1
        if self._strays >= 2:
            self._strays_enough.set()

    # ---- connection ------------------------------------------------------------------------------

    async def _session(self, backoff: Backoff) -> None:
        if not self._loss_logged:
            self._publish(DeviceState.CONNECTING, self._status.conditions)
        pipe = await self._open()
        closed: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        pipe.on_close(lambda cause: None if closed.done() else closed.set_result(cause))
        self._pipe = pipe
        pipe.on_data(self._received)
        try:
            await first_of(self._converse(backoff), self._closed(closed))
        finally:
            self._pipe = None
            self._identified = False
            self._in_step = True
            self._detached()
            await pipe.close()

    async def _open(self) -> BytePipe:
        settings = LineSettings(baud=self._transport.serial.baud, hid=self._transport.hid)
        opening = self._opener(self.device.url, settings)
        try:
            return await within(self._clock, self._transport.open_timeout_ms / 1000, opening)
        except TimeoutError:
            raise PipeClosedError("opening the line takes too long") from None

    async def _converse(self, backoff: Backoff) -> None:
        if not self._loss_logged:
            self._publish(DeviceState.IDENTIFYING, self._status.conditions)
        await self._identify()
        self._identified = True
        backoff.reset()
        if self._loss_logged or not self._was_ready:
            log.info("device.back" if self._loss_logged else "device.ready", device=self.device.id)
        self._was_ready, self._loss_logged = True, False
        self._refresh()
        await self._attend()

    async def _closed(self, closed: "asyncio.Future[Exception | None]") -> None:
        cause = await asyncio.shield(closed)
        raise PipeClosedError("unplugged") from cause

    # ---- availability ----------------------------------------------------------------------------

    def _unavailable(self, error: Exception) -> None:
        """Publishes the loss; logs it once until the device is back."""
        gone = isinstance(error, PipeClosedError)
        condition = getattr(error, "condition", Condition.OFFLINE)
        never_seen = gone and not self._was_ready and self._status.state is not DeviceState.LOST
        state = DeviceState.ABSENT if never_seen else DeviceState.LOST
        if not self._loss_logged:
            self._loss_logged = True
            log.warning("device.lost", device=self.device.id, condition=condition, why=str(error))
        self._publish(state, {condition}, str(error) if isinstance(error, WrongModelError) else "")

    def _publish(
        self, state: DeviceState, conditions: Iterable[Condition], detail: str = ""
    ) -> None:
        now = (state, frozenset(conditions), detail[:MAX_DETAIL])
        if now == (self._status.state, self._status.conditions, self._status.detail):
            return
        self._status = DeviceStatus(
            device=self.device.id,
            kind=self.device.kind,
            state=state,
            conditions=now[1],
            since=self._clock.now_ms(),
            detail=now[2],
        )
        self._status_listeners.tell(self._status)
