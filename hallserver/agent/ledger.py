"""Which print jobs this process has seen, and what became of them: the end of double printing."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from qingting.contract.hub import PrintReport
from qingting.contract.ids import TicketId
from qingting.contract.printing import PrintJob

REMEMBERED = 512
"""Settled jobs kept; a hall does not ask again for a job so long ago."""
JobId = tuple[TicketId, int]


@dataclass(slots=True)
class LedgerEntry:
    """One job. ``report`` is None while it is printed; ``key`` stays the same over all repetitions."""

    report: PrintReport | None = None
    acknowledged: bool = False
    key: str = field(default_factory=lambda: secrets.token_hex(16))


class PrintLedger:
    """Every job at most once; an outcome is owed to the hall until it is acknowledged."""

    def __init__(self) -> None:
        self._entries: OrderedDict[JobId, LedgerEntry] = OrderedDict()

    def begin(self, job: PrintJob) -> bool:
        """True when the job is new. For a known one that is settled, its outcome is owed again."""
        number = (job.ticket, job.attempt)
        entry = self._entries.get(number)
        if entry is not None:
            entry.acknowledged = False
            return False
        self._entries[number] = LedgerEntry()
        self._forget_old()
        return True

    def settle(self, report: PrintReport) -> None:
        """The outcome of a job that :meth:`begin` allowed."""
        entry = self._entries[report.ticket, report.attempt]
        entry.report = report
        entry.acknowledged = False

    def acknowledge(self, report: PrintReport) -> None:
        """The hall has the outcome."""
        entry = self._entries.get((report.ticket, report.attempt))
        if entry is not None:
            entry.acknowledged = True

    @property
    def printing(self) -> bool:
        """A job is under way."""
        return any(entry.report is None for entry in self._entries.values())

    def owed(self) -> list[tuple[PrintReport, str]]:
        """Outcomes that the hall has not acknowledged, oldest first, with their keys."""
        return [
            (entry.report, entry.key)
            for entry in self._entries.values()
            if entry.report is not None and not entry.acknowledged
        ]

    def _forget_old(self) -> None:
        settled = [
            number
            for number, entry in self._entries.items()
            if entry.report is not None and entry.acknowledged
        ]
        for number in settled[: max(0, len(self._entries) - REMEMBERED)]:
            del self._entries[number]
