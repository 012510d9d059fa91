"""The city's database: one engine, transactions as units of work, and being away as a clear refusal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from console.core.uow import ReadUow, Uow
from qingting.contract.errors import Refusal

POOL_SIZE = 12
STATEMENT_SECONDS = 20.0
CONNECT_SECONDS = 5.0
WAIT_SECONDS = 20.0
"""How long somebody waits for a connection that others are using: in a rush for the last places all get an answer."""

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
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


class Database:
    """``write`` and ``read`` open one transaction each; leaving the block commits or rolls back.

    Both raise :class:`CityUnavailable` when PostgreSQL is away, whether at the start, in the middle
    or at the commit.
    """

    def __init__(self, url: str, *, pool_size: int = POOL_SIZE) -> None:
        self.url = url
        self.engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=4,
            pool_timeout=WAIT_SECONDS,
            # A pooled connection may have died with a restarted server: ask before use.
            pool_pre_ping=True,
            connect_args={
                "timeout": CONNECT_SECONDS,
                "command_timeout": STATEMENT_SECONDS,
                "server_settings": {"application_name": "qingting", "jit": "off"},
            },
        )

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Uow]:
        """A transaction that may change things; its notifications leave with the commit."""
        async with self._connection() as connection:
            uow = Uow(connection)
            async with _away_as_refusal(), connection.begin():
                yield uow
                await uow.before_commit()
        uow.after_commit()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadUow]:
        """A read-only snapshot: all statements see one state."""
        async with self._connection() as connection, _away_as_refusal(), connection.begin():
            await connection.execute(
                sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            )
            yield ReadUow(connection)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        async with _away_as_refusal():
            connection = await self.engine.connect()
        try:
            yield connection
        finally:
            # Giving a broken connection back must not hide what broke it.
            async with _quiet_close():
                await connection.close()

    async def ping(self) -> None:
        """Raises :class:`CityUnavailable` when nobody answers."""
        async with self.read() as uow:
            await uow.scalar(sa.text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


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
