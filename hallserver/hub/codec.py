"""Bytes of a client to messages and back. Strict: what is not in the contract is refused."""

import msgspec

from qingting.contract.errors import Refusal
from qingting.contract.hub import (
    MAX_MESSAGE_BYTES,
    Answer,
    Ask,
    Bye,
    ClientMessage,
    Problem,
    Result,
    ServerMessage,
)

_client: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_encoder = msgspec.json.Encoder()


class _Head(msgspec.Struct):
    """As much of a broken request as is needed to answer it."""

    id: int


_head: msgspec.json.Decoder[_Head] = msgspec.json.Decoder(_Head)


class BadMessageError(Exception):
    """The text is no message of the contract; ``id`` is the request's number where it can be read."""

    def __init__(self, refusal: Refusal, request_id: int | None) -> None:
        self.refusal = refusal
        self.id = request_id
        super().__init__(refusal.code)


def decode(data: bytes) -> ClientMessage:
    """Raises :class:`BadMessageError` with ``hub.message_too_long`` or ``hub.bad_message``."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise BadMessageError(Refusal("hub.message_too_long", limit=MAX_MESSAGE_BYTES), None)
    try:
        return _client.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadMessageError(_bad(str(error)), _id_of(data)) from error


def _bad(message: str) -> Refusal:
    """Names the place of the fault, never the value: it may be personal."""
    where = message.rpartition(" - at `")[2].rstrip("`") if " - at `" in message else "$"
    return Refusal("hub.bad_message", where=where[:80])


def _id_of(data: bytes) -> int | None:
    try:
        found = _head.decode(data).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if found >= 1 else None


def encode(message: ServerMessage) -> bytes:
    return _encoder.encode(message)


def problem(refusal: Refusal) -> Problem:
    return Problem(code=refusal.code, params=refusal.params)


def granted(ask: Ask, answer: Answer | None) -> Result:
    return Result(id=ask.id, ok=True, answer=answer)


def refused(request_id: int, refusal: Refusal) -> Result:
    return Result(id=request_id, ok=False, problem=problem(refusal))


_COME_BACK = frozenset(
    {"hub.auth_timeout", "hub.key_in_use", "hub.too_slow", "internal", "store.unavailable"}
)
"""Ends after which a client returns by itself; after the others a person is needed."""


def bye(refusal: Refusal) -> Bye:
    return Bye(problem=problem(refusal), retry=refusal.code in _COME_BACK)
