"""Which request is carried out by what, for whom: the hub's whole table of rights."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract.errors import Refusal
from qingting.contract.hub import Answer, Ask
from qingting.contract.states import Role

T = TypeVar("T", bound=msgspec.Struct)
Handler = Callable[[Switchboard, Session, Any, str], Awaitable[Answer | None]]
"""``(hub, session, request body, engine key)``; the key is empty for requests that change nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    roles: frozenset[Role]
    changes: bool
    handler: Handler


REGISTRY: dict[type[msgspec.Struct], Entry] = {}
EVERYBODY = (Role.KIOSK, Role.AGENT, Role.CALL_PAD, Role.RATING_PAD, Role.BOARD)


def handles(
    kind: type[T], *roles: Role, changes: bool = False
) -> Callable[
    [Callable[[Switchboard, Session, T, str], Awaitable[Answer | None]]],
    Callable[[Switchboard, Session, T, str], Awaitable[Answer | None]],
]:
    """Registers the handler of a request type. ``changes`` demands an idempotency key."""

    def register(
        handler: Callable[[Switchboard, Session, T, str], Awaitable[Answer | None]],
    ) -> Callable[[Switchboard, Session, T, str], Awaitable[Answer | None]]:
        REGISTRY[kind] = Entry(frozenset(roles), changes, handler)
        return handler

    return register


async def carry_out(hub: Switchboard, session: Session, ask: Ask) -> Answer | None:
    """Raises ``hub.forbidden``, ``hub.key_missing`` or what the handler raises."""
    entry = REGISTRY[type(ask.body)]
    if session.role not in entry.roles:
        raise Refusal("hub.forbidden")
    if entry.changes and ask.key is None:
        raise Refusal("hub.key_missing")
    key = f"{session.device}:{ask.key}" if entry.changes else ""
    return await entry.handler(hub, session, ask.body, key)
