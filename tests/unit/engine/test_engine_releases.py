"""What a release in the log promises: used only where it is kept and meant for, one wish at a time."""

import pytest
from engine_builders import KIOSK, EngineRun
from test_engine_acts import ask, refusal

from hallserver.engine.evolve_acts import RELEASES_KEPT, hands_of
from qingting.contract import acts as a
from qingting.contract import commands as c
from qingting.contract import directives as d
from qingting.contract import events as e
from qingting.contract.releases import ReleaseFacts
from qingting.contract.states import ActOutcome, App


def facts(no: int, app: App = App.KIOSK) -> ReleaseFacts:
    digest = f"{no:016x}" + "0" * 48
    return ReleaseFacts(
        id=digest[:16], app=app, version="1", build="abcdef", sha256=digest, size=1000
    )


def put(run: EngineRun, release: ReleaseFacts) -> list[e.EventBody]:
    no = run.state.directive_no + 1
    return run.do(c.ApplyDirective(no=no, directive=d.PutRelease(release=release)))


def kept(run: EngineRun, release: ReleaseFacts) -> None:
    put(run, release)
    run.do(c.ReportRelease(release=release.id))


def test_a_release_is_used_only_where_it_is_kept_whole_and_made_for_that_screen() -> None:
    run, one, pads = EngineRun(), facts(1), facts(2, App.PAD)
    use = a.UseRelease(release=one.id)
    assert refusal(run, use, KIOSK) == "act.no_release"
    put(run, one)
    assert refusal(run, use, KIOSK) == "act.no_release", "its hall has not fetched it yet"
    run.do(c.ReportRelease(release=one.id, code="release.digest"))
    assert refusal(run, use, KIOSK) == "act.no_release"
    assert isinstance(put(run, one)[0], e.ReleasePut), "told once more it is fetched once more"
    run.do(c.ReportRelease(release=one.id))
    assert put(run, one) == [e.DirectiveApplied(no=run.state.directive_no)]
    kept(run, pads)
    assert refusal(run, a.UseRelease(release=pads.id), KIOSK) == "act.not_for_kind"
    ask(run, use, KIOSK)
    run.do(c.EndAct(act=a.ActId("h-1"), outcome=ActOutcome.DONE))
    assert (hands_of(run.state, KIOSK).release, hands_of(run.state, KIOSK).former_release) == (
        one.id,
        "",
    )


def test_a_release_under_another_name_than_its_digest_is_refused() -> None:
    run, one = EngineRun(), facts(1)
    false = ReleaseFacts(**{**{f: getattr(one, f) for f in one.__struct_fields__}, "id": "f" * 16})
    assert put(run, false) == [e.DirectiveRefused(no=1, code="release.digest")]
    with pytest.raises(Exception, match=r"release\.unknown"):
        run.do(c.ReportRelease(release="f" * 16))


def test_a_later_wish_takes_the_place_of_one_that_waits_for_the_screen_to_be_idle() -> None:
    run, one = EngineRun(), facts(1)
    kept(run, one)
    ask(run, a.UseRelease(release=one.id), KIOSK, "h-1")
    events = ask(run, a.UseRelease(), KIOSK, "h-2")
    assert events[0] == e.DeviceActEnded(
        act=a.ActId("h-1"), device=KIOSK, outcome=ActOutcome.REFUSED, code="act.superseded"
    )
    assert isinstance(events[1], e.DeviceActAsked)
    assert run.do(c.EndAct(act=a.ActId("h-1"), outcome=ActOutcome.DONE)) == []


def test_the_latest_releases_and_those_in_use_are_known_and_no_more() -> None:
    run = EngineRun()
    kept(run, facts(1))
    ask(run, a.UseRelease(release=facts(1).id), KIOSK)
    run.do(c.EndAct(act=a.ActId("h-1"), outcome=ActOutcome.DONE))
    for no in range(2, 9):
        put(run, facts(no))
    assert set(run.state.releases) == {
        facts(1).id,
        *(facts(no).id for no in range(9 - RELEASES_KEPT, 9)),
    }
