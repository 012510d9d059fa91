"""A device is in one place (一机一处): its key opens once at a time.

A newcomer with the right key from the same installation and address, who brings the token that was handed out
last, is the same device that reloaded, and takes its own place over. Any other newcomer finds out whether the
first still answers: a line that is silent was the same device before its address changed or before it lost
its power, and is dropped; one that answers is alive, so the key is in two hands, and the newcomer is refused
and reported. The first is kept because a window must not stop working for whoever copied a key
(docs/decisions/0025, 0035).
"""

from hallserver.hub.door_book import TurnedAwayRefusal
from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract.states import TurnedAway

PROBE_SECONDS = 3.0
"""A living client answers a ping in far less; its browser does so even while its page is busy."""

HAND_OVER_SECONDS = 10.0
"""Two tabs of one browser that start together come with the same token; longer than a welcome takes to be stored."""


async def take_place(hub: Switchboard, session: Session, seconds: float = PROBE_SECONDS) -> None:
    """Raises ``hub.key_in_use`` while another place is alive with the same key."""
    for other in _elsewhere(hub, session):
        if await other.answers(seconds):
            raise TurnedAwayRefusal("hub.key_in_use", TurnedAway.COPIED_KEY, session.device)
        other.end("hub.replaced")


def is_elsewhere(hub: Switchboard, session: Session) -> bool:
    """True while the device is connected from another place."""
    return bool(_elsewhere(hub, session))


def _elsewhere(hub: Switchboard, session: Session) -> list[Session]:
    now = hub.clock.monotonic()
    return [one for one in hub.sessions_of(session.device) if not _same_place(one, session, now)]


def _same_place(one: Session, other: Session, now: float) -> bool:
    """A client that names no installation is known by its address alone."""
    same = not one.install or not other.install or one.install == other.install
    return same and one.address == other.address and continues(one, other, now)


def continues(one: Session, other: Session, now: float) -> bool:
    """True when ``other`` brings what the living session ``one`` has stored, as a reload does.

    Who brings an older token is a copy of the whole storage, or lost what it stored last: that decides whether
    ``one`` still answers. Clients that know nothing of tokens are told apart by place alone; who leaves the
    token out beside one that keeps it is not such a client.
    """
    if other.presented == one.token or not (one.presented or other.presented):
        return True
    return other.presented == one.presented and now - one.since < HAND_OVER_SECONDS
