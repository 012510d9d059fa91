"""Device credentials and the codes by which a device gets its own."""

import msgspec
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from hallserver.hub.accounts.locks import Locks
from hallserver.store import accounts as t
from hallserver.store.store import HallStore
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, StaffId, WindowId
from qingting.contract.states import DeviceKind
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest, matches, new_device_key, new_pairing_code

CODE_MS = 10 * 60_000


class Pairing(Strict, frozen=True, kw_only=True):
    """What a pairing code stands for: the device as it will be registered."""

    device: DeviceId
    kind: DeviceKind
    name: str
    name_en: str = ""
    parent: DeviceId | None = None
    window: WindowId | None = None


class DeviceAccounts:
    """Keys of devices, by digest; pairing codes, good once and for ten minutes."""

    def __init__(self, store: HallStore, locks: Locks, clock: Clock) -> None:
        self._store = store
        self._locks = locks
        self._clock = clock

    async def key_is_right(self, device: DeviceId, key: str) -> bool | None:
        """None when the device has no key here."""

        def work(connection: Connection) -> str | None:
            wanted = select(t.device_key.c.digest).where(t.device_key.c.device == device)
            return connection.execute(wanted).scalar_one_or_none()

        stored = await self._store.read(work)
        return None if stored is None else matches(stored, key)

    async def owner_of(self, key: str) -> DeviceId | None:
        """The device whose key this is."""

        def work(connection: Connection) -> str | None:
            found = select(t.device_key.c.device).where(t.device_key.c.digest == digest(key))
            return connection.execute(found).scalars().first()

        device = await self._store.read(work)
        return None if device is None else DeviceId(device)

    async def issue_key(self, device: DeviceId) -> str:
        """A new key for a device; the former one stops to work. For demonstrations and first starts."""
        key = new_device_key()
        now = self._clock.now_ms()
        await self._store.write(lambda connection: _put_key(connection, device, key, now))
        return key

    async def revoke(self, device: DeviceId) -> None:
        """The device is not let in any more until it is paired again."""
        await self._store.write(
            lambda connection: connection.execute(
                delete(t.device_key).where(t.device_key.c.device == device)
            )
        )

    async def paired(self) -> set[DeviceId]:
        """Devices that have a key."""

        def work(connection: Connection) -> set[DeviceId]:
            return {
                DeviceId(one) for one in connection.execute(select(t.device_key.c.device)).scalars()
            }

        return await self._store.read(work)

    # ---- pairing --------------------------------------------------------------------------------

    async def make_code(self, pairing: Pairing, by: StaffId, *, days: int = 0) -> tuple[str, int]:
        """A code for the manager's page and the instant (UTC ms) at which it ends.

        Good for ten minutes; ``days`` makes it longer, for demonstrations only. A former code for
        the same device stops to work.
        """
        life = days * 24 * 3_600_000 or CODE_MS
        code = new_pairing_code()
        now = self._clock.now_ms()
        values = msgspec.to_builtins(pairing) | {
            "digest": digest(code),
            "made_by": by,
            "expires_at": now + life,
        }

        def work(connection: Connection) -> None:
            table = t.pairing_code
            connection.execute(
                delete(table).where((table.c.device == pairing.device) | (table.c.expires_at < now))
            )
            connection.execute(insert(table).values(values))

        await self._store.write(work)
        return code, now + life

    async def find_code(self, code: str, kind: DeviceKind, address: str) -> Pairing:
        """What ``code`` stands for; raises ``hub.pairing_code_wrong`` or ``hub.pairing_locked``.

        Wrong codes are counted by the sender's address.
        """
        account = f"pair:{address}"
        await self._locks.check(account, "hub.pairing_locked")
        pairing = await self._store.read(lambda connection: self._usable(connection, code))
        if pairing is None or pairing.kind is not kind:
            refusal = await self._locks.failed(
                account, "hub.pairing_code_wrong", "hub.pairing_locked"
            )
            raise Refusal(refusal.code) if refusal.code == "hub.pairing_code_wrong" else refusal
        await self._locks.clear(account)
        return pairing

    def _usable(self, connection: Connection, code: str) -> Pairing | None:
        table = t.pairing_code
        row = connection.execute(
            select(table).where(
                table.c.digest == digest(_digits(code)),
                table.c.used_at.is_(None),
                table.c.expires_at > self._clock.now_ms(),
            )
        ).one_or_none()
        if row is None:
            return None
        return Pairing(
            device=DeviceId(row.device),
            kind=DeviceKind(row.kind),
            name=row.name,
            name_en=row.name_en,
            parent=row.parent,
            window=row.window,
        )

    async def use_code(self, code: str, device: DeviceId) -> str:
        """Trades the code for a key, once; raises ``hub.pairing_code_wrong`` when another was faster."""
        key = new_device_key()
        now = self._clock.now_ms()

        def work(connection: Connection) -> None:
            table = t.pairing_code
            done = connection.execute(
                update(table)
                .where(table.c.digest == digest(_digits(code)), table.c.used_at.is_(None))
                .values(used_at=now)
            )
            if done.rowcount != 1:
                raise Refusal("hub.pairing_code_wrong")
            _put_key(connection, device, key, now)

        await self._store.write(work)
        return key

    async def code_used(self, device: DeviceId) -> bool:
        """True when the device's last code has been used."""

        def work(connection: Connection) -> bool:
            table = t.pairing_code
            found = select(table.c.used_at).where(table.c.device == device)
            return connection.execute(found).scalar_one_or_none() is not None

        return await self._store.read(work)

    # ---- who is logged in on a call pad ---------------------------------------------------------

    async def remember_login(self, device: DeviceId, staff: StaffId) -> None:
        """The clerk sits at this pad and at no other."""
        now = self._clock.now_ms()

        def work(connection: Connection) -> None:
            table = t.pad_login
            connection.execute(
                delete(table).where((table.c.staff == staff) | (table.c.device == device))
            )
            connection.execute(insert(table).values(device=device, staff=staff, at=now))

        await self._store.write(work)

    async def forget_login(
        self, *, device: DeviceId | None = None, staff: StaffId | None = None
    ) -> None:
        """Ends the login of a pad, or of a clerk wherever it is."""
        table = t.pad_login
        which = table.c.device == device if device is not None else table.c.staff == staff
        await self._store.write(lambda connection: connection.execute(delete(table).where(which)))

    async def login_of(self, device: DeviceId, since: int) -> StaffId | None:
        """Who logged in on the pad after ``since`` and has not left."""

        def work(connection: Connection) -> str | None:
            table = t.pad_login
            found = select(table.c.staff).where(table.c.device == device, table.c.at >= since)
            return connection.execute(found).scalar_one_or_none()

        staff = await self._store.read(work)
        return None if staff is None else StaffId(staff)


def _digits(code: str) -> str:
    """``1234 5678`` and ``1234-5678`` are typed as they are shown."""
    return "".join(char for char in code if char.isascii() and char.isdigit())


def _put_key(connection: Connection, device: DeviceId, key: str, now: int) -> None:
    values = {"digest": digest(key), "made_at": now}
    statement = upsert(t.device_key).values(device=device, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["device"], set_=values))
