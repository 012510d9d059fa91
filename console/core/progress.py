"""Work on many records: what is done within the request, what is a job, and how far it is."""

from collections.abc import Awaitable, Callable

Progress = Callable[[int, int], Awaitable[None]]
"""Called with how many records are done, and of how many."""
IN_REQUEST = 50
"""The one rule for spreadsheets and publishing: what changes at most so many records is done while the page waits (an item
takes some 20 ms on a busy machine, so about a second), more is a job with progress. Either way it is one transaction: all
of it or nothing. Entries of the audit are written at its end, at once, because their chain is one for the whole city:
whoever waits for it waits for the entries alone."""


LIGHT_IN_REQUEST = 500
"""The same for records that are changed by one statement for all of them (some tenth of a millisecond each)."""


async def unseen(_done: int, _total: int) -> None:
    """For work that nobody watches."""
