"""What is said of a device's program: what runs there, and what should where that is something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingting.contract.acts import DeviceHands
from qingting.contract.programs import program_words
from qingting.contract.releases import Runs
from qingting.contract.states import DeviceKind

RELEASES = st.sampled_from(["", "a1", "b2"])


def keys(kind: DeviceKind, runs: Runs, wanted: DeviceHands | None) -> list[str]:
    return [word.key for word in program_words(kind, runs, wanted)]


@pytest.mark.parametrize(
    ("kind", "runs", "wanted", "said"),
    [
        (DeviceKind.CALL_PAD, Runs(release="a1"), DeviceHands(release="b2"), "runs.wants_release"),
        (DeviceKind.KIOSK, Runs(release="a1"), DeviceHands(), "runs.wants_shipped"),
        (DeviceKind.KIOSK, Runs(release="a1"), None, "runs.wants_shipped"),
        (DeviceKind.AGENT, Runs(), DeviceHands(bundle="b2"), "runs.wants_bundle"),
        (DeviceKind.AGENT, Runs(bundle="a1"), DeviceHands(), "runs.wants_shipped_models"),
    ],
)
def test_what_is_wanted_is_named_where_something_else_runs(
    kind: DeviceKind, runs: Runs, wanted: DeviceHands | None, said: str
) -> None:
    assert keys(kind, runs, wanted)[-1] == said


@given(st.sampled_from(DeviceKind), RELEASES, RELEASES)
def test_nothing_is_wanted_where_it_runs_or_nothing_can_be_put(
    kind: DeviceKind, release: str, bundle: str
) -> None:
    runs, wanted = Runs(release=release, bundle=bundle), DeviceHands(release=release, bundle=bundle)
    assert not [key for key in keys(kind, runs, wanted) if key.startswith("runs.wants")]
