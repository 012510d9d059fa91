"""Credentials of devices and staff, pairing codes, lockouts, web sessions: what is not in the log."""

from dataclasses import dataclass

from hallserver.hub.accounts.devices import DeviceAccounts, Pairing
from hallserver.hub.accounts.locks import Locks
from hallserver.hub.accounts.staff import StaffAccounts
from hallserver.hub.accounts.web_sessions import WebSessions
from hallserver.store.store import HallStore
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.passwords import Passwords

__all__ = ["Accounts", "DeviceAccounts", "Pairing", "StaffAccounts", "WebSessions", "open_accounts"]


@dataclass(frozen=True, slots=True)
class Accounts:
    """All accounts of a hall."""

    devices: DeviceAccounts
    staff: StaffAccounts
    sessions: WebSessions
    locks: Locks


def open_accounts(store: HallStore, clock: Clock, passwords: Passwords | None = None) -> Accounts:
    """Blocking for a tenth of a second unless ``passwords`` is given (it hashes a decoy)."""
    locks = Locks(store, clock)
    return Accounts(
        DeviceAccounts(store, locks, clock),
        StaffAccounts(store, locks, clock, passwords or Passwords()),
        WebSessions(store),
        locks,
    )
