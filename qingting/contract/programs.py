"""What a screen or agent runs, in a reader's words. One rule for the hall's pages and the city's."""

from qingting.contract.acts import DeviceHands
from qingting.contract.pads import PadWord
from qingting.contract.releases import APP_OF, Runs
from qingting.contract.states import DeviceKind


def program_words(
    kind: DeviceKind, runs: Runs, wanted: DeviceHands | None = None
) -> tuple[PadWord, ...]:
    """Text keys ``runs.…``: the build, then a screen's release or an agent's models, then what did not start, then
    what is wanted there (应运行) where it is something else."""
    found = []
    if runs.program and kind in APP_OF:
        found.append(PadWord("runs.build", {"build": runs.program}))
    elif runs.program:
        found.append(PadWord("runs.version", {"version": runs.program}))
    if kind in APP_OF:
        key = "runs.release" if runs.release else "runs.shipped"
        found.append(PadWord(key, {"release": runs.release} if runs.release else {}))
    elif kind is DeviceKind.AGENT:
        key = "runs.bundle" if runs.bundle else "runs.shipped_models"
        found.append(PadWord(key, {"bundle": runs.bundle} if runs.bundle else {}))
    if runs.failed:
        found.append(PadWord("runs.failed", {"release": runs.failed}))
    found += _wanted(kind, runs, wanted or DeviceHands())
    return tuple(found)


def _wanted(kind: DeviceKind, runs: Runs, wanted: DeviceHands) -> list[PadWord]:
    if kind in APP_OF and wanted.release != runs.release:
        if not wanted.release:
            return [PadWord("runs.wants_shipped", {})]
        return [PadWord("runs.wants_release", {"release": wanted.release})]
    if kind is DeviceKind.AGENT and wanted.bundle != runs.bundle:
        if not wanted.bundle:
            return [PadWord("runs.wants_shipped_models", {})]
        return [PadWord("runs.wants_bundle", {"bundle": wanted.bundle})]
    return []
