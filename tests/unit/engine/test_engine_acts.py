"""What remote hands promise: asked once, ended once, nothing left behind that was not done."""

import pytest
from engine_builders import AGENT, CARE, KIOSK, PRINTER, EngineRun
from hypothesis import given
from hypothesis import strategies as st

from hallserver.engine.evolve_acts import hands_of
from qingting.contract import acts as a
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.directives import DirectAct, PutProfiles
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId
from qingting.contract.states import ActOutcome, Condition, PrintOutcome

ACT = a.ActId("h-1")
FILES = {"printers/a.b.toml": "schema = 1"}
BUNDLE = a.ProfileBundle(id=a.bundle_id(FILES), name="one", files=FILES)


@pytest.fixture
def run() -> EngineRun:
    return EngineRun()


def ask(
    run: EngineRun,
    action: a.Action,
    device: DeviceId = PRINTER,
    act: str = ACT,
    within: int = 60_000,
) -> list[e.EventBody]:
    command = c.AskAct(
        act=a.ActId(act), device=device, action=action, until=run.now + 1000 + within, asked_by="li"
    )
    return run.do(command)


def end(run: EngineRun, outcome: ActOutcome, **more: object) -> list[e.EventBody]:
    return run.do(c.EndAct(act=ACT, outcome=outcome, **more))  # type: ignore[arg-type]


def refusal(run: EngineRun, action: a.Action, device: DeviceId, **more: object) -> str:
    with pytest.raises(Refusal) as caught:
        ask(run, action, device, **more)  # type: ignore[arg-type]
    return caught.value.code


def kinds(bodies: list[e.EventBody]) -> list[type]:
    return [type(one) for one in bodies]


class TestAsking:
    def test_the_same_act_twice_is_asked_once(self, run: EngineRun) -> None:
        assert kinds(ask(run, a.PrintTest())) == [e.DeviceActAsked]
        assert ask(run, a.PrintTest()) == []
        end(run, ActOutcome.DONE)
        assert ask(run, a.PrintTest()) == [], "not after its end either"

    def test_a_second_act_of_the_same_sort_waits_for_the_first(self, run: EngineRun) -> None:
        ask(run, a.PrintTest())
        assert refusal(run, a.PrintTest(), PRINTER, act="h-2") == "act.running"
        assert ask(run, a.RecoverPrinter(), act="h-3"), "another sort does not"

    def test_what_a_device_cannot_do_is_refused(self, run: EngineRun) -> None:
        assert refusal(run, a.PrintTest(), KIOSK) == "act.not_for_kind"
        assert refusal(run, a.TakePicture(), AGENT) == "act.not_for_kind"
        assert refusal(run, a.PrintTest(), DeviceId("nobody")) == "device.unknown"
        assert refusal(run, a.PrintTest(), PRINTER, within=0) == "act.expired"
        assert run.state.acts == {}

    def test_a_late_directive_is_refused_in_its_turn(self, run: EngineRun) -> None:
        direct = DirectAct(act=ACT, device=PRINTER, action=a.PrintTest(), until=run.now - 1)
        assert run.do(c.ApplyDirective(no=1, directive=direct)) == [
            e.DirectiveRefused(no=1, code="act.expired")
        ]

    def test_a_directive_that_comes_again_asks_nothing_again(self, run: EngineRun) -> None:
        direct = DirectAct(act=ACT, device=PRINTER, action=a.PrintTest(), until=run.now + 60_000)
        first = run.do(c.ApplyDirective(no=1, directive=direct))
        assert kinds(first) == [e.DeviceActAsked, e.DirectiveApplied]
        assert run.do(c.ApplyDirective(no=1, directive=direct)) == []


class TestEnding:
    @given(
        outcomes=st.lists(st.sampled_from(ActOutcome), min_size=1, max_size=6),
    )
    def test_the_first_outcome_stands_and_only_unknown_can_become_known(
        self, outcomes: list[ActOutcome]
    ) -> None:
        run = EngineRun()
        ask(run, a.PrintTest())
        for outcome in outcomes:
            end(run, outcome)
        known = [one for one in outcomes if one is not ActOutcome.UNKNOWN]
        assert run.state.acts[ACT].outcome is (known[0] if known else ActOutcome.UNKNOWN)
        told = [one.b.outcome for one in run.log if isinstance(one.b, e.DeviceActEnded)]
        assert len(told) <= 2
        assert told.count(ActOutcome.DONE) <= 1

    def test_an_act_that_nobody_asked_for_cannot_end(self, run: EngineRun) -> None:
        with pytest.raises(Refusal, match=r"act\.unknown"):
            end(run, ActOutcome.DONE)

    def test_only_what_was_done_is_in_force(self, run: EngineRun) -> None:
        ask(run, a.SetBrightness(percent=40), KIOSK)
        end(run, ActOutcome.FAILED, code="act.no_backend")
        assert hands_of(run.state, KIOSK).brightness is None
        ask(run, a.SetBrightness(percent=30), KIOSK, act="h-2")
        run.do(c.EndAct(act=a.ActId("h-2"), outcome=ActOutcome.DONE))
        assert hands_of(run.state, KIOSK).brightness == 30

    def test_a_plan_ends_what_was_switched_by_hand(self, run: EngineRun) -> None:
        ask(run, a.SwitchScreen(on=False), KIOSK)
        end(run, ActOutcome.DONE)
        assert hands_of(run.state, KIOSK).screen_on is False
        ask(run, a.PlanScreen(), KIOSK, act="h-2")
        run.do(c.EndAct(act=a.ActId("h-2"), outcome=ActOutcome.DONE))
        assert hands_of(run.state, KIOSK).screen_on is None

    def test_acts_and_what_they_set_outlive_the_day(self, run: EngineRun) -> None:
        ask(run, a.SetBrightness(percent=40), KIOSK)
        end(run, ActOutcome.DONE)
        run.do(c.CloseDay(), after=24 * 3_600_000)
        assert hands_of(run.state, KIOSK).brightness == 40
        assert run.state.acts[ACT].outcome is ActOutcome.DONE


class TestReprintingByNumber:
    def test_paper_asked_for_twice_comes_once_and_its_outcome_ends_the_act(
        self, run: EngineRun
    ) -> None:
        ticket = run.ticket(run.take(CARE))
        run.do(c.ReportPrint(ticket=ticket.id, attempt=1, outcome=PrintOutcome.PRINTED, mm=120))
        again = ask(run, a.ReprintNumber(number=ticket.number))
        assert kinds(again) == [e.DeviceActAsked, e.PrintRequested]
        assert ask(run, a.ReprintNumber(number=ticket.number)) == []
        told = run.do(
            c.ReportPrint(
                ticket=ticket.id, attempt=2, outcome=PrintOutcome.FAILED, cause=Condition.PAPER_OUT
            )
        )
        assert kinds(told) == [e.PrintReported, e.DeviceActEnded]
        assert run.state.acts[ACT].outcome is ActOutcome.FAILED
        assert run.state.acts[ACT].note == "paper_out"

    def test_a_number_that_is_not_there_is_refused(self, run: EngineRun) -> None:
        assert refusal(run, a.ReprintNumber(number="A777"), PRINTER) == "ticket.unknown"


class TestThePaperCounter:
    def test_every_ticket_that_came_out_counts_and_a_new_roll_begins_again(
        self, run: EngineRun
    ) -> None:
        ask(run, a.NewRoll(metres=1))
        assert run.state.acts[ACT].outcome is ActOutcome.DONE
        for _ in range(2):
            ticket = run.ticket(run.take(CARE))
            told = c.ReportPrint(ticket=ticket.id, attempt=1, outcome=PrintOutcome.PRINTED, mm=300)
            run.do(told)
        ask(run, a.PrintTest(), act="h-2")
        run.do(c.EndAct(act=a.ActId("h-2"), outcome=ActOutcome.DONE, figures={"mm": 100}))
        roll = hands_of(run.state, PRINTER).roll
        assert (roll.tickets, roll.mm, roll.rest_mm) == (3, 700, 300)
        ask(run, a.NewRoll(), act="h-3")
        roll = hands_of(run.state, PRINTER).roll
        assert (roll.tickets, roll.mm, roll.rest_mm) == (0, 0, None)

    def test_paper_that_did_not_come_out_does_not_count(self, run: EngineRun) -> None:
        ticket = run.ticket(run.take(CARE))
        run.do(c.ReportPrint(ticket=ticket.id, attempt=1, outcome=PrintOutcome.FAILED, mm=300))
        assert hands_of(run.state, PRINTER).roll.tickets == 0


class TestProfiles:
    def test_models_are_used_only_once_they_are_there_and_can_be_gone_back_from(
        self, run: EngineRun
    ) -> None:
        use = a.UseProfiles(bundle=BUNDLE.id)
        assert refusal(run, use, AGENT) == "act.no_bundle"
        run.do(c.ApplyDirective(no=1, directive=PutProfiles(bundle=BUNDLE)))
        ask(run, use, AGENT)
        end(run, ActOutcome.DONE)
        hands = hands_of(run.state, AGENT)
        assert (hands.bundle, hands.former) == (BUNDLE.id, "")

    def test_models_under_a_false_name_are_refused(self, run: EngineRun) -> None:
        false = a.ProfileBundle(id=BUNDLE.id, name="one", files={"printers/a.b.toml": "schema = 2"})
        assert run.do(c.ApplyDirective(no=1, directive=PutProfiles(bundle=false))) == [
            e.DirectiveRefused(no=1, code="act.profiles_bad")
        ]
        assert run.state.bundles == {}
