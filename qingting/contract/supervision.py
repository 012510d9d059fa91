"""What a device's present means to whoever looks after it. One rule for the hall's pages and the city's."""

from collections.abc import Collection

from qingting.contract.conditions import Severity, condition_texts
from qingting.contract.states import Condition, DeviceKind, DeviceState

PADS = frozenset({DeviceKind.CALL_PAD, DeviceKind.RATING_PAD})
OWN_CONNECTION = PADS | {DeviceKind.KIOSK, DeviceKind.AGENT, DeviceKind.BOARD}
"""Kinds that connect to the hall themselves and are paired; all others hang on one of these."""


def worst(found: Collection[Severity]) -> Severity | None:
    """The gravest of ``found``; None for none."""
    return max(found, key=lambda one: one.rank, default=None)


def is_gone(
    kind: DeviceKind,
    state: DeviceState,
    conditions: Collection[Condition],
    *,
    at_work: bool = True,
) -> bool:
    """True when the device ought to be there and nobody can reach it (失联).

    ``at_work`` False: a pad whose window is closed; switched off it is where it should be. What connects
    itself and never did is not set up yet; a peripheral that its agent looks for in vain is gone.
    """
    if state is DeviceState.LOST:
        return at_work or kind not in PADS
    if state is DeviceState.ABSENT:
        return kind not in OWN_CONNECTION and bool(conditions)
    return Condition.OFFLINE in conditions


def trouble(
    kind: DeviceKind,
    state: DeviceState,
    conditions: Collection[Condition],
    *,
    at_work: bool = True,
) -> Severity | None:
    """How badly the device needs a person: ``critical``, it is out of order and service stops there; ``warning``,
    soon; ``info``, a remark; None, all is well."""
    if is_gone(kind, state, conditions, at_work=at_work):
        return Severity.CRITICAL
    if state in (DeviceState.LOST, DeviceState.ABSENT):
        return None
    texts = condition_texts()
    return worst([texts[one].severity for one in conditions])


def out_of_order(
    kind: DeviceKind,
    state: DeviceState,
    conditions: Collection[Condition],
    *,
    at_work: bool = True,
) -> bool:
    """True when service at the device stops until a person goes there (需要处理)."""
    return trouble(kind, state, conditions, at_work=at_work) is Severity.CRITICAL
