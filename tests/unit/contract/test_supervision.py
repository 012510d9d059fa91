"""What a device's present means: one rule, whoever asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingting.contract.conditions import Severity, condition_texts
from qingting.contract.states import Condition, DeviceKind, DeviceState
from qingting.contract.supervision import (
    OWN_CONNECTION,
    PADS,
    is_gone,
    out_of_order,
    trouble,
    worst,
)

KINDS = st.sampled_from(DeviceKind)
STATES = st.sampled_from(DeviceState)
CONDITIONS = st.frozensets(st.sampled_from(Condition))
PRESENT = st.sampled_from([DeviceState.READY, DeviceState.DEGRADED])


@pytest.mark.parametrize("kind", sorted(PADS))
def test_a_pad_that_is_switched_off_is_missed_only_at_an_open_window(kind: DeviceKind) -> None:
    assert out_of_order(kind, DeviceState.LOST, (), at_work=True)
    assert trouble(kind, DeviceState.LOST, (), at_work=False) is None


@pytest.mark.parametrize("kind", sorted(OWN_CONNECTION))
def test_a_screen_that_never_came_is_not_set_up_yet(kind: DeviceKind) -> None:
    assert trouble(kind, DeviceState.ABSENT, (Condition.OFFLINE,)) is None


def test_a_printer_that_its_agent_looks_for_in_vain_is_out_of_order() -> None:
    assert out_of_order(DeviceKind.PRINTER, DeviceState.ABSENT, (Condition.OFFLINE,))
    assert not out_of_order(DeviceKind.PRINTER, DeviceState.ABSENT, ())


@given(KINDS, CONDITIONS)
def test_lost_at_work_is_always_out_of_order(kind: DeviceKind, found: frozenset[Condition]) -> None:
    assert out_of_order(kind, DeviceState.LOST, found)


@given(KINDS, PRESENT, CONDITIONS, st.booleans())
def test_a_device_that_is_there_is_as_bad_as_its_gravest_condition(
    kind: DeviceKind, state: DeviceState, found: frozenset[Condition], at_work: bool
) -> None:
    texts = condition_texts()
    assert trouble(kind, state, found, at_work=at_work) == worst(
        [texts[one].severity for one in found]
    )


@given(KINDS, STATES, CONDITIONS)
def test_a_closed_window_never_makes_anything_worse(
    kind: DeviceKind, state: DeviceState, found: frozenset[Condition]
) -> None:
    if not is_gone(kind, state, found, at_work=True):
        assert not is_gone(kind, state, found, at_work=False)
    if kind not in PADS:
        assert trouble(kind, state, found) == trouble(kind, state, found, at_work=False)


def test_the_gravest_stands_for_all() -> None:
    assert worst([]) is None
    assert worst([Severity.INFO, Severity.CRITICAL, Severity.WARNING]) is Severity.CRITICAL
