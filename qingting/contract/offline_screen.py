"""What a kiosk's screen and the agent on its machine tell each other while the hall is gone (JSON over HTTP)."""

from qingting.contract.base import Record
from qingting.contract.hub import IdentityRead, Problem, TakeTicket
from qingting.contract.ids import KeyText, Millis
from qingting.contract.views import DeviceView, ItemView, KioskTicket


class OfflineState(Record, frozen=True, kw_only=True):
    """What the screen shows. ``problem`` says why no number can be given at all; an item that has none
    left is not offered. ``identity`` and ``refused`` are about the card on the reader."""

    problem: Problem | None
    now: Millis
    items: tuple[ItemView, ...]
    peripherals: tuple[DeviceView, ...]
    identity: IdentityRead | None = None
    refused: Problem | None = None
    tickets: tuple[KioskTicket, ...] = ()
    owed: int = 0


class OfflineWish(Record, frozen=True, kw_only=True):
    """A press on "take a number", kept with its key over repetitions."""

    key: KeyText
    wish: TakeTicket


class OfflineReprint(Record, frozen=True, kw_only=True):
    """Print a number of this screen once more."""

    ticket: str
