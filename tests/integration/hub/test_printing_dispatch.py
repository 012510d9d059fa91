"""Every ticket's paper ends as printed, failed or unknown, and the number is always good."""

from typing import Any

from qingting.contract import hub as h
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.printing import QrCode, TextLine
from qingting.contract.states import Condition, DeviceKind, DeviceState, PrintOutcome, PrintState

House = Any


def printer(*conditions: Condition, state: DeviceState = DeviceState.DEGRADED) -> h.DeviceReport:
    return h.DeviceReport(
        device=DeviceId("k1-printer"),
        kind=DeviceKind.PRINTER,
        state=state if conditions else DeviceState.READY,
        conditions=conditions,
    )


def report(
    order: h.PrintOrder, outcome: PrintOutcome, cause: Condition | None = None
) -> h.PrintReport:
    return h.PrintReport(
        ticket=order.job.ticket, attempt=order.job.attempt, outcome=outcome, cause=cause
    )


async def test_a_ticket_goes_to_its_kiosk_s_printer_and_its_outcome_to_the_screen(
    house: House,
) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await kiosk.ask(h.Subscribe(topics=("kiosk:k1",)), key=None)
        ticket = await house.ticket(kiosk)
        order = await agent.get(h.PrintOrder)
        assert (order.job.ticket, order.job.attempt, order.job.again) == (ticket, 1, False)
        lines = [one.text for one in order.job.document if isinstance(one, TextLine)]
        codes = [one.data for one in order.job.document if isinstance(one, QrCode)]
        assert "A001" in lines
        token = house.hall.state.tickets[TicketId(ticket)].token
        assert codes == [f"http://hall.test/t/{token}"]
        await agent.ask(report(order, PrintOutcome.PRINTED))
        await agent.ask(report(order, PrintOutcome.PRINTED))
        shown = kiosk.topics["kiosk:k1"][f"ticket:{ticket}"]
        assert shown.print_state is PrintState.PRINTED


async def test_a_failed_print_keeps_the_number_and_can_be_tried_again(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        ticket = TicketId(await house.ticket(kiosk))
        order = await agent.get(h.PrintOrder)
        assert await kiosk.refused(h.Reprint(ticket=ticket)) == "print.running"
        await agent.ask(report(order, PrintOutcome.FAILED, Condition.PAPER_OUT))
        found = house.hall.state.tickets[ticket]
        assert (found.print_state, found.print_cause) == (PrintState.FAILED, Condition.PAPER_OUT)
        await kiosk.ask(h.Reprint(ticket=ticket))
        again = await agent.get(h.PrintOrder)
        assert (again.job.attempt, again.job.again, found.number) == (2, True, "A001")


async def test_without_an_agent_the_print_fails_at_once_as_offline(house: House) -> None:
    house.clock.shift += 20
    async with await house.join("k1") as kiosk:
        ticket = await house.ticket(kiosk)
        assert await house.until_settled(ticket) is PrintState.FAILED
        assert house.hall.state.tickets[ticket].print_cause is Condition.OFFLINE


async def test_a_printer_without_paper_is_not_given_the_job(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await agent.ask(printer(Condition.PAPER_OUT))
        ticket = await house.ticket(kiosk)
        assert await house.until_settled(ticket) is PrintState.FAILED
        assert house.hall.state.tickets[ticket].print_cause is Condition.PAPER_OUT
        assert not [one for one in agent.messages if isinstance(one, h.PrintOrder)]


async def test_low_paper_is_no_reason_not_to_print(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await agent.ask(printer(Condition.PAPER_LOW))
        ticket = await house.ticket(kiosk)
        assert (await agent.get(h.PrintOrder)).job.ticket == ticket


async def test_a_job_under_way_is_sent_again_to_an_agent_that_comes_back(house: House) -> None:
    async with await house.join("k1") as kiosk:
        agent = await house.agent()
        ticket = await house.ticket(kiosk)
        first = await agent.get(h.PrintOrder)
        await agent.close()
        async with await house.join("k1-agent") as back:
            second = await back.get(h.PrintOrder)
            assert second.job == first.job, "the agent tells by ticket and attempt"
            await back.ask(report(second, PrintOutcome.PRINTED))
            assert await house.until_settled(ticket) is PrintState.PRINTED
        async with await house.join("k1-agent") as later:
            await later.ask(h.Ping(), key=None)
            assert not [one for one in later.messages if isinstance(one, h.PrintOrder)]


async def test_a_job_under_way_outlives_a_restart_of_the_server(house: House) -> None:
    kiosk, agent = await house.join("k1"), await house.agent()
    ticket = await house.ticket(kiosk)
    first = await agent.get(h.PrintOrder)
    await kiosk.close()
    await agent.close()
    await house.restart()
    async with await house.join("k1-agent") as back:
        assert (await back.get(h.PrintOrder)).job == first.job
        await back.ask(report(first, PrintOutcome.PRINTED))
        assert await house.until_settled(ticket) is PrintState.PRINTED


async def test_a_job_nobody_answered_for_half_a_minute_is_unknown_until_the_truth_comes(
    house: House,
) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        ticket = await house.ticket(kiosk)
        order = await agent.get(h.PrintOrder)
        house.clock.shift += 31
        assert await house.until_settled(ticket) is PrintState.UNKNOWN
        await agent.ask(report(order, PrintOutcome.PRINTED))
        assert house.hall.state.tickets[ticket].print_state is PrintState.PRINTED


async def test_an_unknown_print_is_never_repeated_by_itself(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        ticket = await house.ticket(kiosk)
        await agent.get(h.PrintOrder)
        house.clock.shift += 31
        await house.until_settled(ticket)
    async with await house.agent() as agent:
        await agent.ask(h.Ping(), key=None)
        assert not [one for one in agent.messages if isinstance(one, h.PrintOrder)]
        async with await house.join("k1") as kiosk:
            await kiosk.ask(h.Reprint(ticket=TicketId(ticket)))
            assert (await agent.get(h.PrintOrder)).job.attempt == 2


async def test_a_job_waits_a_moment_for_an_agent_that_blinked(house: House) -> None:
    async with await house.join("k1") as kiosk:
        agent = await house.agent()
        await agent.close()
        ticket = await house.ticket(kiosk)
        async with await house.join("k1-agent") as back:
            assert (await back.get(h.PrintOrder)).job.ticket == ticket


async def test_a_job_whose_agent_does_not_come_back_fails(house: House) -> None:
    async with await house.join("k1") as kiosk:
        agent = await house.agent()
        await agent.close()
        ticket = await house.ticket(kiosk)
        house.clock.shift += 4
        assert await house.until_settled(ticket) is PrintState.FAILED


async def test_a_kiosk_without_a_printer_says_so(house: House) -> None:
    async with await house.join("k2") as kiosk, await house.join("k2-agent"):
        ticket = await house.ticket(kiosk)
        assert await house.until_settled(ticket) is PrintState.FAILED
