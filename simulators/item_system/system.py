"""What the item system knows: its items, the order of its changes, whom it answers, and how it misbehaves.

Written from ``docs/integrators/item-system.md`` alone; shares nothing with the city's client.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from qingting.kernel.aio.clock import Clock, SystemClock
from simulators.item_system.stock import city_items

CLOCK_MS = 5 * 60_000
SLOW_SECONDS = 60.0
BAD_ROWS: tuple[Any, ...] = (
    {"taskCode": "123", "taskName": "编码不对的事项", "deptName": "大庆市公安局", "taskState": "1"},
    {"taskName": "没有编码的事项", "deptName": "大庆市公安局", "taskState": "1"},
    "这不是一个事项",
)
"""A code of the wrong length, none, and no item at all."""


class Fault(StrEnum):
    """How the item system misbehaves."""

    DOWN = "down"
    CUT = "cut"
    SLOW = "slow"
    ERROR = "error"
    REFUSED = "refused"
    GARBAGE = "garbage"
    BAD_ROWS = "bad_rows"
    REPEAT = "repeat"
    REORDER = "reorder"
    WRONG_TOTAL = "wrong_total"
    CIRCLE = "circle"


class NotAllowedError(Exception):
    """The request is not signed by somebody whom the system knows."""


class ItemSystem:
    """``key`` and ``secret`` are what it gave to the city; ``token`` True: it wants the secret as a bearer token.

    ``items`` are rows as the document describes them; their codes are in ``taskCode``.
    """

    def __init__(
        self,
        key: str,
        secret: str,
        *,
        items: Sequence[Mapping[str, Any]] | None = None,
        clock: Clock | None = None,
        token: bool = False,
    ) -> None:
        self.key, self.secret, self.token = key, secret, token
        self.clock = clock or SystemClock()
        self.fault: Fault | None = None
        self.fault_after = 0
        """The fault shows only from this page of a listing on, counted from 0."""
        self.asked: list[str] = []
        """Path and query of every request that was admitted, for tests and the control page."""
        self.rows: dict[str, dict[str, Any]] = {}
        self._changes: list[str] = []
        self._nonces: set[str] = set()
        self._lifted = asyncio.Event()
        for row in city_items() if items is None else items:
            self.rows[str(row["taskCode"])] = dict(row)
            self._changes.append(str(row["taskCode"]))

    # ---- what its people do ----------------------------------------------------------------------

    def change(self, code: str, **fields: Any) -> dict[str, Any]:
        """Somebody edits an item, or publishes a new one (then ``fields`` hold all of it)."""
        held = self.rows.get(code, {"taskCode": code, "taskState": "1", "taskVersion": 0})
        now = datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC)
        self.rows[code] = {
            **held,
            "taskVersion": int(held["taskVersion"]) + 1,
            "modifiedAt": now.isoformat(timespec="seconds"),
            **fields,
        }
        self._changes.append(code)
        return self.rows[code]

    def withdraw(self, code: str, day: str) -> dict[str, Any]:
        return self.change(code, taskState="2", cancelDate=day)

    def forget(self, code: str) -> None:
        """The item is gone without a word, as systems do that were cleaned up by hand."""
        del self.rows[code]

    # ---- for the city ----------------------------------------------------------------------------

    def admit(self, headers: Mapping[str, str], target: str) -> None:
        """Raises :class:`NotAllowedError` unless the request is signed, fresh and new."""
        if self.token:
            given = headers.get("Authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {self.secret}".encode()):
                raise NotAllowedError
            self.asked.append(target)
            return
        key, time, nonce, signature = (
            headers.get(f"X-Qingting-{one}", "") for one in ("Key", "Time", "Nonce", "Signature")
        )
        signed = f"{key}\n{time}\n{nonce}\n{target}\n".encode()
        wanted = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        fresh = time.isdecimal() and abs(int(time) - self.clock.now_ms()) <= CLOCK_MS
        known = hmac.compare_digest(key.encode(), self.key.encode())
        if not (known and fresh and hmac.compare_digest(signature.encode(), wanted.encode())):
            raise NotAllowedError
        if len(nonce) != 32 or nonce in self._nonces:
            raise NotAllowedError
        self._nonces.add(nonce)
        self.asked.append(target)

    def listing(self, limit: int, cursor: str, modified_since: str = "") -> dict[str, Any]:
        """A page of all items, or of those modified since."""
        rows = list(self.rows.values())
        if modified_since:
            since = datetime.fromisoformat(modified_since)
            rows = [one for one in rows if datetime.fromisoformat(one["modifiedAt"]) >= since]
        start = int(cursor or 0)
        page = rows[start : start + limit]
        more = start + limit < len(rows)
        found: dict[str, Any] = {
            "items": page,
            "more": more,
            "next": str(start + limit) if more else "",
        }
        if not modified_since:
            found |= {"total": len(rows), "position": f"c{len(self._changes)}"}
        return self._spoiled(found, cursor, start // limit)

    def changes(self, limit: int, cursor: str) -> dict[str, Any]:
        """Changes after a position, oldest first; an item as it is now."""
        start = int(cursor.removeprefix("c") or 0)
        part = self._changes[start : start + limit]
        more = start + limit < len(self._changes)
        found = {
            "items": [self.rows[code] for code in part if code in self.rows],
            "more": more,
            "next": f"c{start + len(part)}",
        }
        return self._spoiled(found, cursor, 0)

    def _spoiled(self, page: dict[str, Any], cursor: str, number: int) -> dict[str, Any]:
        """The page as the present fault makes it."""
        if not self.acts(number):
            return page
        items: list[Any] = page["items"]
        match self.fault:
            case Fault.BAD_ROWS:
                return page | {"items": [*BAD_ROWS, *items]}
            case Fault.REPEAT:
                return page | {"items": [*items, *items[:5]]}
            case Fault.REORDER:
                return page | {"items": items[::-1]}
            case Fault.WRONG_TOTAL if "total" in page:
                return page | {"total": page["total"] + 7}
            case Fault.CIRCLE:
                return page | {"more": True, "next": cursor or "0"}
            case _:
                return page

    # ---- faults ----------------------------------------------------------------------------------

    def acts(self, number: int) -> bool:
        """True when the fault shows at this page of a listing."""
        return self.fault is not None and number >= self.fault_after

    def set_fault(self, fault: Fault | None, after: int = 0) -> None:
        """From now on, until another is set."""
        self.fault, self.fault_after = fault, after
        self._lifted.set()
        self._lifted = asyncio.Event()

    async def dawdle(self) -> None:
        """Ends when the system is not slow any more, or after a long while."""
        lifted = self._lifted
        if self.fault is Fault.SLOW:
            try:
                async with asyncio.timeout(SLOW_SECONDS):
                    await lifted.wait()
            except TimeoutError:
                return
