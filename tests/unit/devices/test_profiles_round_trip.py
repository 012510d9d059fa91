"""Every row of every printer's profile: the simulator shows the condition, the driver's codec understands it."""

from typing import Any

import pytest

from hallserver.devices.profile_types import PrinterProfile
from hallserver.devices.profiles import load_kind, shipped_profiles
from hallserver.devices.protocols.escpos.status import (
    RealTimeAnswer,
    StatusBoard,
    StatusCodec,
    is_valid_answer,
)
from qingting.contract.states import DeviceKind
from simulators.profiles import load_profile as simulated

PROFILES = [load_kind(PrinterProfile, one) for one in shipped_profiles().ids(DeviceKind.PRINTER)]
ROWS = [
    pytest.param(profile, query, row, id=f"{profile.id}-{query.name}-{row.byte}-{row.mask:02x}")
    for profile in PROFILES
    for query in profile.status.query
    for row in query.bits
]


def said(profile: PrinterProfile, query: Any, conditions: Any) -> bytes:
    """What the simulator answers to the query with these conditions."""
    found = next(one for one in simulated(profile.id).queries if one.name == query.name)
    assert found.send == query.send
    return found.table.answer(conditions)


@pytest.mark.parametrize(("profile", "query", "row"), ROWS)
def test_what_the_simulator_shows_the_driver_understands(
    profile: Any, query: Any, row: Any
) -> None:
    codec, board = StatusCodec(), StatusBoard(profile.status, profile.capabilities)
    for conditions, expected in (({row.means}, {row.means}), (set(), set())):
        codec.expect(query.reply)
        (frame,) = codec.feed(said(profile, query, conditions))
        assert isinstance(frame, RealTimeAnswer)
        assert is_valid_answer(query.reply, frame.data)
        board.polled({query.name: frame.data})
        assert board.conditions == expected


def test_a_model_without_a_near_end_sensor_has_no_row_for_it() -> None:
    for profile in PROFILES:
        told = {row.means for query in profile.status.query for row in query.bits}
        assert profile.capabilities.near_end_sensor or "paper_low" not in told, profile.id
