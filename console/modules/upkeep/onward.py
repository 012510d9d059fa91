"""Numbers that systems outside keep go on in a restored city behind every one that the city may have given.

A provider of messages takes a letter with a number that it knows for a repetition, and an integrator asks for events behind
the last place that it has: what is new under an old number would reach nobody.
"""

from contextlib import suppress

import asyncpg

from console.core.databases import connected

AHEAD = 10_000_000
"""So many may have been given where the city that gave them can say nothing any more, or until it is exchanged."""
_LAST = {
    "letters": "SELECT last_value FROM note_message_no_seq",
    "places": "SELECT coalesce(max(place), 0) FROM gate_event",
}
_ON = {
    "letters": ("SELECT setval('note_message_no_seq', $1)",),
    # The last event moves, and with it whoever has had it.
    "places": (
        "UPDATE gate_subscription SET place = $1 WHERE place = (SELECT max(place) FROM gate_event)",
        "UPDATE gate_event SET place = $1 WHERE place = (SELECT max(place) FROM gate_event)",
    ),
}


async def go_on(connection: asyncpg.Connection, city: str) -> None:
    """In the database of ``connection``, which is to take the place of the one at the address ``city``."""
    for name, statements in _ON.items():
        given = await connection.fetchval(_LAST[name])
        last = max(given, await _given_by(city, name)) + AHEAD
        for one in statements:
            await connection.execute(one, last)


async def _given_by(city: str, name: str) -> int:
    """0 where the city can say nothing any more: it is damaged, or older."""
    with suppress(asyncpg.PostgresError, OSError):
        async with connected(city) as connection:
            given: int = await connection.fetchval(_LAST[name])
            return given
    return 0
