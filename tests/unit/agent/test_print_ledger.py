"""Promises of the print ledger: a job at most once, an outcome until it is acknowledged."""

from hallserver.agent.ledger import REMEMBERED, PrintLedger
from qingting.contract.hub import PrintReport
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.printing import PrintJob
from qingting.contract.states import PrintOutcome


def job(number: int = 1, attempt: int = 1) -> PrintJob:
    return PrintJob(
        ticket=TicketId(f"t{number}"),
        attempt=attempt,
        printer=DeviceId("p"),
        issued_at=0,
        document=(),
    )


def printed(number: int = 1, attempt: int = 1) -> PrintReport:
    return PrintReport(ticket=TicketId(f"t{number}"), attempt=attempt, outcome=PrintOutcome.PRINTED)


def test_a_job_begins_once_and_the_next_attempt_is_another_job() -> None:
    ledger = PrintLedger()
    assert ledger.begin(job())
    assert not ledger.begin(job())
    ledger.settle(printed())
    assert not ledger.begin(job())
    assert ledger.begin(job(attempt=2))


def test_an_outcome_is_owed_until_acknowledged_and_again_when_asked_again() -> None:
    ledger = PrintLedger()
    ledger.begin(job())
    assert ledger.owed() == []
    ledger.settle(printed())
    [(report, key)] = ledger.owed()
    assert report == printed()
    assert ledger.owed() == [(report, key)]
    ledger.acknowledge(report)
    assert ledger.owed() == []
    ledger.begin(job())
    assert ledger.owed() == [(report, key)]


def test_memory_is_bounded_and_never_forgets_what_is_owed_or_under_way() -> None:
    ledger = PrintLedger()
    ledger.begin(job(0))
    ledger.begin(job(1))
    ledger.settle(printed(1))
    for number in range(2, REMEMBERED + 200):
        ledger.begin(job(number))
        ledger.settle(printed(number))
        ledger.acknowledge(printed(number))
    assert [report.ticket for report, _ in ledger.owed()] == ["t1"]
    assert not ledger.begin(job(0))
    assert not ledger.begin(job(REMEMBERED + 199))
    assert ledger.begin(job(2))
