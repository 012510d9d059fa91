"""The first commit of a day ends the day before: what it says of yesterday's tickets still reaches the screens."""

from engine_builders import W1, EngineRun

from hallserver.engine.views import topics_touched
from qingting.contract import commands as c
from qingting.contract import events as e


def test_people_left_over_at_night_do_not_keep_screens_from_the_new_day() -> None:
    run = EngineRun()
    run.open(W1)
    for _ in range(3):
        run.take()
    run.do(c.CallNext(window=W1))
    before = len(run.log)
    run.do(c.CloseDay(), after=26 * 3_600_000)
    turn = run.log[before:]
    assert any(isinstance(one.b, e.TicketCancelled) for one in turn)
    told = set().union(*(topics_touched(one, run.state) for one in turn))
    assert {"queues", "board", "windows", f"window:{W1}"} <= told
