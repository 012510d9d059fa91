"""The port: one letter to one address, and what the provider says about it later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDevice:
    """An installed app: under which ``token`` its platform (``android``, ``ios``, ``harmony``) reaches it."""

    platform: str
    app: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message to one address, or to all ``devices`` of a person. ``id`` is the same at every try: a provider that got it before sends it once.
    ``template`` is the provider's number of an approved text with its ``params``; ``link`` a web address or empty."""

    id: str
    to: str = field(repr=False)
    title: str = field(repr=False)
    text: str = field(repr=False)
    at: int
    template: str = ""
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    link: str = ""
    devices: Sequence[PushDevice] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """The provider took a letter under ``reference``. ``segments``: how many it bills, 0 where nothing is billed.
    ``dead``: tokens under which it reaches no app any more."""

    reference: str
    segments: int = 0
    dead: Sequence[str] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the letter ``id``: it arrived, or why it did not."""

    id: str
    delivered: bool
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Receipts:
    """Some receipts; the provider repeats them until ``batch`` is confirmed."""

    batch: str = ""
    found: Sequence[Receipt] = ()


class Sender(Protocol):
    """``name`` is that of the channel and is kept with every message. All raise
    :class:`console.core.delivering.DeliveryError`."""

    @property
    def name(self) -> str: ...

    @property
    def sign(self) -> str:
        """What the provider puts in front of every text (签名), empty for none."""
        ...

    async def send(self, letter: Letter) -> Taken:
        """Returns when the provider has taken it."""
        ...

    async def receipts(self, confirmed: str) -> Receipts:
        """What the provider has to say since; ``confirmed`` is the batch that was stored last. A way that tells
        nothing afterwards gives none."""
        ...
