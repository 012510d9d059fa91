"""Units of work: one transaction, its notifications, and the two types that keep readers from writing."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

CHANGED = "city_changed"
"""Channel that names what changed, for pages; once per transaction."""


class ReadUow:
    """Reads within one snapshot. A use case that only reads asks for this type. What was committed before ``opened``
    (seconds of the steady clock) is seen."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.opened = time.monotonic()

    async def all(
        self,
        statement: sa.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> Sequence[sa.RowMapping]:
        return (await self._connection.execute(statement, parameters)).mappings().all()

    async def blocks(
        self, statement: sa.Executable, size: int
    ) -> AsyncIterator[Sequence[sa.RowMapping]]:
        """The rows some at a time, for more of them than one wants at once."""
        result = await self._connection.stream(statement, execution_options={"yield_per": size})
        try:
            async for block in result.mappings().partitions():
                yield block
        finally:
            await result.close()

    async def first(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None
    ) -> sa.RowMapping | None:
        return (await self._connection.execute(statement, parameters)).mappings().first()

    async def scalar(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None
    ) -> Any:
        return (await self._connection.execute(statement, parameters)).scalar()


class Uow(ReadUow):
    """A transaction that may write. It is committed at the edge, never by the code that uses it."""

    def __init__(
        self,
        connection: AsyncConnection,
        parts: AsyncExitStack,
        begin: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
    ) -> None:
        super().__init__(connection)
        self._parts, self._begin = parts, begin
        self._changed: set[str] = set()
        self._messages: dict[tuple[str, str], None] = {}
        self._after: list[Callable[[], None]] = []

    async def run(
        self,
        statement: sa.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> int:
        """Executes a change and gives the number of rows it touched."""
        result = await self._connection.execute(statement, parameters)
        return result.rowcount

    def savepoint(self) -> Any:
        """An inner transaction that can fail alone (``async with``). For whoever makes a page of a refusal: a page commits,
        and what was done before it was refused would stay."""
        return self._connection.begin_nested()

    @asynccontextmanager
    async def outside(self) -> AsyncIterator[None]:
        """Around a question to another system, however long its answer takes: what was done so far is committed, connection
        and locks are given back, and what comes after is a transaction of its own. Not within a savepoint."""
        assert not self._connection.in_nested_transaction()
        await self.before_commit()
        await self._parts.aclose()
        self.after_commit()
        self._changed, self._messages, self._after = set(), {}, []
        try:
            yield
        except Exception:
            # What was refused is said on a page, which reads.
            await self._again()
            raise
        await self._again()

    async def _again(self) -> None:
        self._connection = await self._parts.enter_async_context(self._begin())
        self.opened = time.monotonic()

    def changed(self, *names: str) -> None:
        """Pages that show one of ``names`` are told after the commit."""
        self._changed.update(names)

    def notify(self, channel: str, payload: str) -> None:
        """One ``NOTIFY`` with the commit; the same message twice is sent once."""
        self._messages[(channel, payload)] = None

    def on_commit(self, call: Callable[[], None]) -> None:
        """``call`` runs after the commit, or never."""
        self._after.append(call)

    async def before_commit(self) -> None:
        """For :class:`console.core.db.Database`: sends what was collected, inside the transaction."""
        if self._changed:
            self._messages[(CHANGED, " ".join(sorted(self._changed)))] = None
        for channel, payload in self._messages:
            await self._connection.execute(
                sa.text("SELECT pg_notify(:channel, :payload)"),
                {"channel": channel, "payload": payload},
            )

    def after_commit(self) -> None:
        for call in self._after:
            call()
