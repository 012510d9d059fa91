"""What a screen or agent runs, in a reader's words. One rule for the hall's pages and the city's."""

from qingting.contract.pads import PadWord
from qingting.contract.releases import APP_OF, Runs
from qingting.contract.states import DeviceKind


def program_words(kind: DeviceKind, runs: Runs) -> tuple[PadWord, ...]:
    """Text keys ``runs.…``: the build, then a screen's release or an agent's models, then what did not start."""
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
    return tuple(found)
