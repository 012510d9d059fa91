"""What boards, agents and hub say of calls that are said aloud (语音播报)."""

from typing import Annotated

import msgspec

from qingting.contract.base import Strict
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, PlayOutcome


class Announced(Strict, frozen=True, kw_only=True, tag="call.announced", tag_field="type"):
    """Board: call ``call_no`` was said to its end. Repeated after a reconnect until it was acknowledged."""

    call_no: Annotated[int, msgspec.Meta(ge=1)]


class SayCall(Strict, frozen=True, kw_only=True, tag="say", tag_field="type"):
    """To an agent: fetch the sound at ``path`` of the hall server and play it once.

    ``volume`` in percent is what the hall's hours say; the agent's machine may lower it further.
    """

    device: DeviceId
    call_no: Annotated[int, msgspec.Meta(ge=1)]
    path: Annotated[str, msgspec.Meta(pattern=r"^/voice/\d{1,9}\.wav$")]
    volume: Annotated[int, msgspec.Meta(ge=0, le=100)]


class CallTold(Strict, frozen=True, kw_only=True, tag="say.told", tag_field="type"):
    """Agent: what became of :class:`SayCall`. ``cause`` says why it was not played, as far as it is known."""

    device: DeviceId
    call_no: Annotated[int, msgspec.Meta(ge=1)]
    outcome: PlayOutcome
    cause: Condition | None = None


SoundRequest = Announced | CallTold
