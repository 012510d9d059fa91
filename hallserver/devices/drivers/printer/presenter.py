"""The exit of a printer with a presenter: a ticket that nobody takes is cleared away, once."""

import structlog

from hallserver.devices.profile_types import Presenter
from qingting.contract.ids import DeviceId

log = structlog.get_logger(__name__)


class Exit:
    """Follows what the printer says of its exit. Pure but for the log; ``now`` in monotonic seconds."""

    def __init__(self, device: DeviceId, presenter: Presenter | None) -> None:
        self._device = device
        self._presenter = presenter
        self._left_since: float | None = None
        self._told_at: float | None = None

    def looked(self, now: float, *, left: bool) -> bytes | None:
        """After a look at the printer: the command to send now, if any. A ticket is cleared away once; that the exit
        is then still not free is logged, and left to a person."""
        if not left:
            if self._told_at is not None:
                log.info("printer.exit_cleared", device=self._device)
            self._left_since = self._told_at = None
            return None
        if self._presenter is None:
            return None
        if self._left_since is None:
            self._left_since = now
        if self._told_at is None and now - self._left_since >= self._presenter.after_s:
            self._told_at = now
            return self._presenter.clear
        return None

    def forget(self) -> None:
        """The printer is away: how long a ticket has been left is not known any more."""
        self._left_since = self._told_at = None
