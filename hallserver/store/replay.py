"""The state of a hall from its log: the newest readable snapshot, then the events after it."""

import msgspec
import structlog

from hallserver.engine.evolve import evolve
from hallserver.engine.state import STATE_SCHEMA, HallState, new_state
from hallserver.store.batch import StoredEvent
from hallserver.store.errors import DamagedDatabaseError, StoreOpenError
from hallserver.store.store import HallStore

log = structlog.get_logger(__name__)

PAGE = 2000
"""Events read and applied at a time; between two pages the event loop gets its turn."""
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[HallState] = msgspec.json.Decoder(HallState)


def encode_state(state: HallState) -> bytes:
    """The whole state as JSON."""
    return _encoder.encode(state)


def decode_state(json: bytes) -> HallState:
    """Inverse of :func:`encode_state`; raises ``msgspec.DecodeError``."""
    return _decoder.decode(json)


async def rebuild(store: HallStore) -> HallState:
    """State after the last committed event. Raises :class:`StoreOpenError` when the log is unreadable."""
    state = await _from_snapshot(store)
    await catch_up(store, state)
    return state


async def _from_snapshot(store: HallStore) -> HallState:
    for snapshot in await store.snapshots():
        if snapshot.schema != STATE_SCHEMA:
            continue
        try:
            return decode_state(snapshot.json)
        except msgspec.DecodeError as error:
            log.warning("store.snapshot_unreadable", seq=snapshot.seq, problem=str(error))
    return new_state()


async def catch_up(store: HallStore, state: HallState) -> list[StoredEvent]:
    """Applies to ``state`` what the log holds after it; returns the last page of what was applied."""
    last: list[StoredEvent] = []
    while page := await store.events(state.seq, PAGE):
        apply_stored(state, page)
        last = page
    return last


def apply_stored(state: HallState, page: list[StoredEvent]) -> None:
    """Applies stored events in order; a hole in the numbers or an unknown event is an error."""
    for stored in page:
        if stored.seq != state.seq + 1:
            raise DamagedDatabaseError(f"event {state.seq + 1} is missing from the log")
        try:
            event = stored.event()
        except msgspec.DecodeError as error:
            raise StoreOpenError(f"event {stored.seq} cannot be read: {error}") from error
        evolve(state, event)
