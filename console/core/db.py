"""The city's database: one engine, transactions as units of work, and being away as a clear refusal."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from console.core.line import Line
from console.core.one_database import OneDatabase
from console.core.uow import ReadUow, Uow
from qingting.contract.errors import Refusal

POOL_SIZE = 16
STATEMENT_SECONDS = 20.0
CONNECT_SECONDS = 5.0
WAIT_SECONDS = 20.0
"""How long somebody waits for a connection that others are using: in a rush for the last places all get an answer."""
TRUSTED_SECONDS = 1.0
"""A pooled connection that was in use so lately is taken to be alive; one that lay longer may have died with a
restarted server and is asked first."""

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    ConnectionError,
    FileNotFoundError,
    TimeoutError,
)


class CityUnavailable(Refusal):
    """PostgreSQL cannot be reached now; everything recovers by itself."""

    def __init__(self) -> None:
        super().__init__("city.unavailable")


def is_away(error: BaseException) -> bool:
    """True when ``error`` means that PostgreSQL is down, stopping, starting or out of reach."""
    if isinstance(error, sa.exc.DBAPIError):
        if error.connection_invalidated:
            return True
        cause = error.orig.__cause__ if error.orig is not None else None
        return isinstance(cause, _AWAY)
    return isinstance(error, (sa.exc.TimeoutError, *_AWAY))


_PASSING = ("40001", "40P01", "55P03")
"""SQLSTATE of what met others at the wrong moment: serialization, a deadlock, a lock that was not to be had."""


def is_passing(error: BaseException) -> bool:
    """True when the same again may well succeed."""
    return isinstance(error, sa.exc.DBAPIError) and (
        getattr(error.orig, "sqlstate", "") in _PASSING
    )


class Database:
    """``write`` and ``read`` open one transaction each; leaving the block commits or rolls back.

    Both raise :class:`CityUnavailable` when PostgreSQL is away, whether at the start, in the middle
    or at the commit.
    """

    def __init__(self, url: str, *, pool_size: int = POOL_SIZE) -> None:
        self.url = url
        # The pool serves whoever asks at the right moment, and somebody waits for ever: here they stand in a line.
        self._line = Line(pool_size)
        self.engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            # What a statement that fails was given may be about people, and errors are logged.
            hide_parameters=True,
            connect_args={
                "timeout": CONNECT_SECONDS,
                "command_timeout": STATEMENT_SECONDS,
                "server_settings": {"application_name": "qingting", "jit": "off"},
            },
        )
        _ask_who_lay_long(self.engine.sync_engine)
        self.one = OneDatabase(self.engine.sync_engine)
        self._readers = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._glances = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Uow]:
        """A transaction that may change things; its notifications leave with the commit."""
        async with AsyncExitStack() as parts:
            connection = await parts.enter_async_context(self._begun())
            uow = Uow(connection, parts, self._begun)
            yield uow
            await uow.before_commit()
        uow.after_commit()

    @asynccontextmanager
    async def _begun(self) -> AsyncIterator[AsyncConnection]:
        async with (
            self._connection(self.engine) as connection,
            _away_as_refusal(),
            connection.begin(),
        ):
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadUow]:
        """A read-only snapshot: all statements see one state."""
        async with (
            self._connection(self._readers) as connection,
            _away_as_refusal(),
            connection.begin(),
        ):
            yield ReadUow(connection)

    async def glance(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None
    ) -> sa.RowMapping | None:
        """The first row of a single statement that only reads: a snapshot without a transaction around it, which would
        cost three more ways to the server."""
        async with self._connection(self._glances) as connection, _away_as_refusal():
            return (await connection.execute(statement, parameters)).mappings().first()

    async def single(self, statement: sa.Executable) -> None:
        """A single statement that changes something nobody is told of: done when this returns, without a transaction
        around it."""
        async with self._connection(self._glances) as connection, _away_as_refusal():
            await connection.execute(statement)

    @asynccontextmanager
    async def _connection(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        async with _away_as_refusal(), asyncio.timeout(WAIT_SECONDS):
            await self._line.take()
        try:
            async with _away_as_refusal():
                connection = await engine.connect()
            try:
                yield connection
            finally:
                # Giving a broken connection back must not hide what broke it.
                async with _quiet_close():
                    await connection.close()
        finally:
            self._line.give_back()

    @property
    def held(self) -> int:
        """How many connections somebody has at this moment."""
        return self._line.taken

    async def ping(self) -> None:
        """Raises :class:`CityUnavailable` when nobody answers."""
        async with self.read() as uow:
            await uow.scalar(sa.text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


def _ask_who_lay_long(engine: sa.Engine) -> None:
    """Lets the pool ask a connection whether it lives, unless it was in use a moment ago; a dead one is replaced."""

    def given_back(_: object, record: ConnectionPoolEntry) -> None:
        record.info["used"] = time.monotonic()

    def taken(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        used = record.info.get("used")
        if used is None or time.monotonic() - used < TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            if not engine.dialect.is_disconnect(error, connection, None):
                raise
            # All were opened to the same server: the others are asked no more, they are opened anew.
            raise sa.exc.InvalidatePoolError from error

    sa.event.listen(engine, "checkin", given_back)
    sa.event.listen(engine, "checkout", taken)


@asynccontextmanager
async def _away_as_refusal() -> AsyncIterator[None]:
    try:
        yield
    except Refusal:
        raise
    except Exception as error:
        if is_away(error):
            raise CityUnavailable from error
        raise


@asynccontextmanager
async def _quiet_close() -> AsyncIterator[None]:
    try:
        yield
    except asyncio.CancelledError:
        raise
    except Exception as error:
        if not is_away(error):
            raise


def asyncpg_arguments(url: str) -> dict[str, object]:
    """``url`` as the arguments of ``asyncpg.connect``, for the connection that listens."""
    parts = sa.engine.make_url(url)
    arguments: dict[str, object] = {
        "host": parts.query.get("host") or parts.host,
        "port": parts.port,
        "user": parts.username,
        "password": parts.password,
        "database": parts.database,
    }
    return {name: value for name, value in arguments.items() if value is not None}
