"""Every role may do its own things and nothing else."""

from typing import Any, get_args

import pytest

from hallserver.hub import hub as hub_module
from hallserver.hub.registry import REGISTRY
from qingting.contract import hub as h
from qingting.contract import hub_acts as ha
from qingting.contract import hub_desk as desk
from qingting.contract import hub_face as face
from qingting.contract import hub_sound as sound
from qingting.contract.examples import EXAMPLES
from qingting.contract.ids import DeviceId, ItemId, TicketId, WindowId
from qingting.contract.pads import PadReport
from qingting.contract.releases import RunsReport
from qingting.contract.states import (
    CertificateKind,
    DeviceKind,
    DeviceState,
    NotRatedReason,
    PrintOutcome,
    RatingLevel,
    Role,
)

House = Any
DEVICES = {
    Role.KIOSK: "k1",
    Role.AGENT: "k1-agent",
    Role.CALL_PAD: "pad1",
    Role.RATING_PAD: "rate1",
    Role.BOARD: "lcd",
}
ALLOWED = {
    h.TakeTicket: {Role.KIOSK},
    h.Reprint: {Role.KIOSK},
    h.BeginIdentity: {Role.KIOSK},
    h.EndIdentity: {Role.KIOSK},
    face.LookForFace: {Role.KIOSK},
    h.AskHelp: {Role.KIOSK},
    h.Login: {Role.CALL_PAD},
    h.Logout: {Role.CALL_PAD},
    h.TakeWindow: {Role.CALL_PAD},
    h.Pause: {Role.CALL_PAD},
    h.LeaveWindow: {Role.CALL_PAD},
    h.Next: {Role.CALL_PAD},
    h.Again: {Role.CALL_PAD},
    h.Begin: {Role.CALL_PAD},
    h.Finish: {Role.CALL_PAD},
    h.Absent: {Role.CALL_PAD},
    h.ComeBack: {Role.KIOSK, Role.CALL_PAD},
    h.LeaveLine: {Role.KIOSK},
    h.PrepareOffline: {Role.AGENT},
    h.MergeLeased: {Role.AGENT},
    desk.Pick: {Role.CALL_PAD},
    desk.Resume: {Role.CALL_PAD},
    desk.Park: {Role.CALL_PAD},
    desk.Transfer: {Role.CALL_PAD},
    desk.PutBack: {Role.CALL_PAD},
    desk.OneMore: {Role.CALL_PAD},
    desk.Reclass: {Role.CALL_PAD},
    desk.MakeTicket: {Role.CALL_PAD},
    desk.Lend: {Role.CALL_PAD},
    desk.ChangePassword: {Role.CALL_PAD},
    desk.OfferScan: {Role.CALL_PAD},
    sound.Announced: {Role.BOARD},
    sound.CallTold: {Role.AGENT},
    h.HelpDone: {Role.CALL_PAD},
    h.SubmitRating: {Role.RATING_PAD},
    h.DeclineRating: {Role.RATING_PAD},
    h.DeviceReport: {Role.AGENT, Role.BOARD, Role.KIOSK},
    h.PrintReport: {Role.AGENT},
    h.CardRead: {Role.AGENT},
    h.CardFault: {Role.AGENT},
    h.CodeScanned: {Role.AGENT},
    face.FaceRead: {Role.AGENT},
    face.FaceFault: {Role.AGENT},
    ha.ActGoing: set(DEVICES),
    ha.ActPart: set(DEVICES),
    ha.ActTold: set(DEVICES),
    RunsReport: set(DEVICES) - {Role.BOARD},
    h.Subscribe: set(DEVICES),
    h.Ping: set(DEVICES),
    PadReport: {Role.CALL_PAD, Role.RATING_PAD},
}
"""Written out by hand, so that a change of the registry has to be meant."""
CHANGES = {
    h.TakeTicket, h.Reprint, h.AskHelp, h.Logout, h.TakeWindow, h.Pause, h.LeaveWindow, h.Next,
    h.Again, sound.Announced, h.Begin, h.Finish, h.Absent, h.HelpDone, h.SubmitRating, h.DeclineRating,
    h.DeviceReport, h.PrintReport, sound.CallTold, h.ComeBack, h.LeaveLine,
    h.PrepareOffline, h.MergeLeased, ha.ActTold, desk.Pick, desk.Resume, desk.Park, desk.Transfer,
    desk.PutBack, desk.OneMore, desk.Reclass, desk.MakeTicket, desk.Lend,
}  # fmt: skip


def test_every_request_of_the_contract_has_its_rights_and_no_other() -> None:
    assert hub_module.HANDLERS
    assert set(REGISTRY) == set(get_args(h.Request)) == set(ALLOWED)
    assert {kind: set(entry.roles) for kind, entry in REGISTRY.items()} == ALLOWED
    assert {kind for kind, entry in REGISTRY.items() if entry.changes} == CHANGES


@pytest.mark.parametrize("role", DEVICES, ids=lambda role: role.value)
async def test_a_role_is_refused_everything_that_is_not_its_own(house: House, role: Role) -> None:
    async with await house.join(DEVICES[role]) as client:
        for kind, roles in ALLOWED.items():
            if role not in roles:
                assert await client.refused(EXAMPLES[kind.__name__]) == "hub.forbidden", kind


@pytest.mark.parametrize(
    ("device", "topic", "code"),
    [
        ("k1", "board", "hub.forbidden"),
        ("k1", "devices", "hub.forbidden"),
        ("k1", "kiosk:k2", "hub.forbidden"),
        ("k1", "window:w1", "hub.forbidden"),
        ("k1-agent", "kiosk:k1", "hub.forbidden"),
        ("pad1", "window:w1", "hub.not_logged_in"),
        ("pad1", "rating:w1", "hub.forbidden"),
        ("pad1", "desk:w1", "hub.not_logged_in"),
        ("rate1", "desk:w1", "hub.forbidden"),
        ("lcd", "desk:w1", "hub.forbidden"),
        ("pad1", "board", "hub.forbidden"),
        ("rate1", "rating:w2", "hub.forbidden"),
        ("rate1", "window:w1", "hub.forbidden"),
        ("lcd", "window:w1", "hub.forbidden"),
        ("lcd", "kiosk:k1", "hub.forbidden"),
        ("lcd", "devices", "hub.forbidden"),
        ("lcd", "board:other", "hub.forbidden"),
        ("k1", "board:lcd", "hub.forbidden"),
        ("k1", "no-such-thing", "hub.forbidden"),
        ("lcd", "", "hub.forbidden"),
    ],
)
async def test_a_device_sees_only_its_own_topics(
    house: House, device: str, topic: str, code: str
) -> None:
    async with await house.join(device) as client:
        assert await client.refused(h.Subscribe(topics=("hall", topic))) == code
        assert client.topics == {}, "a refused subscription must give nothing at all"


@pytest.mark.parametrize(
    ("device", "topics"),
    [
        ("k1", ("hall", "catalogue", "queues", "windows", "kiosk:k1")),
        ("rate1", ("hall", "rating:w1")),
        ("lcd", ("hall", "board", "board:lcd", "queues", "windows")),
        ("pad1", ("hall", "queues", "windows", "help")),
    ],
)
async def test_a_device_sees_what_it_needs(
    house: House, device: str, topics: tuple[str, ...]
) -> None:
    async with await house.join(device) as client:
        await client.ask(h.Subscribe(topics=topics), key=None)
        assert set(client.topics) == set(topics)


async def test_a_clerk_sees_the_own_window_and_no_other(house: House) -> None:
    async with await house.clerk() as pad:
        await pad.ask(h.Subscribe(topics=("window:w1", "desk:w1")), key=None)
        for topic in ("window:w2", "desk:w2"):
            assert await pad.refused(h.Subscribe(topics=(topic,))) == "hub.forbidden"


async def test_nobody_calls_before_logging_in(house: House) -> None:
    async with await house.join("pad1") as pad:
        for body in (h.Next(), h.Again(), h.Begin(), h.Finish(), h.Absent(), h.Pause()):
            assert await pad.refused(body) == "hub.not_logged_in"
        assert await pad.refused(h.TakeWindow(window=WindowId("w1"))) == "hub.not_logged_in"
        assert await pad.refused(h.HelpDone(device=DeviceId("k1"))) == "hub.not_logged_in"


async def test_a_clerk_without_a_window_calls_nobody(house: House) -> None:
    async with await house.clerk() as pad:
        await pad.ask(h.LeaveWindow())
        assert await pad.refused(h.Next()) == "window.none"


async def test_a_rating_pad_rates_its_own_window_only(house: House) -> None:
    async with (
        await house.join("k1") as kiosk,
        await house.clerk() as pad,
        await house.join("rate1") as own,
        await house.join("rate2") as other,
    ):
        ticket = await house.ticket(kiosk)
        for body in (h.Next(), h.Begin(), h.Finish()):
            await pad.ask(body)
        rating = h.SubmitRating(ticket=TicketId(ticket), level=RatingLevel.SATISFIED)
        silence = h.DeclineRating(ticket=TicketId(ticket), reason=NotRatedReason.DECLINED)
        assert await other.refused(rating) == "hub.forbidden"
        assert await other.refused(silence) == "hub.forbidden"
        await own.ask(rating)
        assert await own.refused(rating) == "rating.already"
        unknown = h.SubmitRating(ticket=TicketId("nothing"), level=RatingLevel.SATISFIED)
        assert await own.refused(unknown) == "rating.unknown_ticket"


async def test_an_agent_speaks_for_its_own_devices_only(house: House) -> None:
    async with await house.join("k2-agent") as foreign, await house.agent() as own:
        report = h.DeviceReport(
            device=DeviceId("k1-printer"), kind=DeviceKind.PRINTER, state=DeviceState.READY
        )
        assert await foreign.refused(report) == "hub.forbidden"
        kiosk = h.DeviceReport(
            device=DeviceId("k1"), kind=DeviceKind.KIOSK, state=DeviceState.READY
        )
        assert await own.refused(kiosk) == "hub.forbidden"
        wrong = h.DeviceReport(
            device=DeviceId("k1-printer"), kind=DeviceKind.SCANNER, state=DeviceState.READY
        )
        assert await own.refused(wrong) == "device.unknown"
        card = h.CardRead(
            device=DeviceId("k1-reader"),
            kind=CertificateKind.RESIDENT_ID,
            name="张三",
            number="230602199001011238",
            valid_to="长期",
        )
        assert await foreign.refused(card, key=None) == "hub.forbidden"
        scan = h.CodeScanned(device=DeviceId("k1-reader"), text="x")
        assert await own.refused(scan, key=None) == "device.unknown"


async def test_an_agent_settles_only_print_jobs_of_its_own_printer(house: House) -> None:
    async with (
        await house.join("k1") as kiosk,
        await house.agent() as own,
        await house.join("k2-agent") as foreign,
    ):
        ticket = TicketId(await house.ticket(kiosk))
        report = h.PrintReport(ticket=ticket, attempt=1, outcome=PrintOutcome.PRINTED)
        assert await foreign.refused(report) == "hub.forbidden"
        await own.ask(report)
        lost = h.PrintReport(ticket=TicketId("x"), attempt=1, outcome=PrintOutcome.PRINTED)
        assert await own.refused(lost) == "ticket.unknown"


async def test_a_kiosk_reprints_only_what_it_gave_or_what_was_scanned_there(house: House) -> None:
    async with (
        await house.agent() as agent,
        await house.join("k1") as one,
        await house.join("k2") as other,
    ):
        ticket = TicketId(await house.ticket(other))
        await one.ask(h.Subscribe(topics=("kiosk:k1",)), key=None)
        assert await one.refused(h.Reprint(ticket=ticket)) == "hub.forbidden"
        token = house.hall.state.tickets[ticket].token
        text = f"http://hall.test/t/{token}"
        await agent.ask(h.CodeScanned(device=DeviceId("k1-scanner"), text=text), key=None)
        found = await one.get(h.CodeFound)
        assert found.ticket == ticket
        assert f"ticket:{ticket}" in one.topics["kiosk:k1"]
        await house.until_settled(ticket)
        await one.ask(h.Reprint(ticket=ticket))
        order = await agent.get(h.PrintOrder)
        assert (order.job.printer, order.job.attempt, order.job.again) == (
            "k1-printer",
            2,
            True,
        )


async def test_a_pad_carries_on_after_a_restart_without_a_password(house: House) -> None:
    pad = await house.clerk()
    await pad.close()
    await house.restart()
    async with await house.join("pad1") as again, await house.join("k1") as kiosk:
        await house.ticket(kiosk)
        await again.ask(h.Next())


async def test_a_login_elsewhere_ends_the_first_one(house: House) -> None:
    async with await house.clerk("pad1") as first, await house.clerk("pad2", window="w1") as second:
        assert await first.refused(h.Pause(reason="x")) == "hub.not_logged_in"
        assert await first.refused(h.Subscribe(topics=("desk:w1",))) == "hub.not_logged_in"
        await second.ask(h.Pause(reason="x"))
    async with await house.join("pad1") as again:
        assert await again.refused(h.Next()) == "hub.not_logged_in"


async def test_logging_out_closes_the_window_unless_somebody_is_there(house: House) -> None:
    async with await house.join("k1") as kiosk, await house.clerk() as pad:
        await house.ticket(kiosk)
        await pad.ask(h.Next())
        assert await pad.refused(h.Logout()) == "window.busy"
        await pad.ask(h.Absent())
        await pad.ask(h.Logout())
        assert house.hall.state.windows[WindowId("w1")].staff is None
        assert await pad.refused(h.Next()) == "hub.not_logged_in"


async def test_a_repeated_press_gives_the_first_ticket_again(house: House) -> None:
    body = h.TakeTicket(item=ItemId("advice"))
    async with await house.join("k1") as kiosk, await house.join("k2") as other:
        first = await kiosk.ask(body, key="press-0001")
        assert await kiosk.ask(body, key="press-0001") == first
        assert await other.ask(body, key="press-0001") != first, "keys are a device's own"
        assert len(house.hall.state.tickets) == 2


async def test_help_is_asked_at_a_kiosk_and_answered_by_a_clerk(house: House) -> None:
    async with await house.join("k1") as kiosk, await house.clerk() as pad:
        await pad.ask(h.Subscribe(topics=("help",)), key=None)
        await kiosk.ask(h.AskHelp())
        await pad.until(lambda: "k1" in pad.topics["help"] or None)
        await pad.ask(h.HelpDone(device=DeviceId("k1")))
        await pad.until(lambda: "k1" not in pad.topics["help"] or None)
