"""What whoever has a shell on a hall server's machine may do without a login: renew a password."""

import asyncio

from hallserver.app.settings import HallSettings
from hallserver.hall import open_hall
from hallserver.hub.accounts import open_accounts
from hallserver.store.errors import StoreOpenError
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.passwords import Passwords


async def renew_hall_password(settings: HallSettings, number: str) -> str:
    """Another one-time password for the clerk or manager with a staff number; gives the text to show.

    Ends the person's lockout and every login. The hall server must be stopped: it alone writes its database, and
    kiosks give numbers of their own meanwhile. Raises :class:`StoreOpenError`, also while it runs and when
    there is no database, and ``staff.unknown``.
    """
    if not await asyncio.to_thread(settings.database.is_file):
        raise StoreOpenError(f"{settings.database}: there is no hall")
    clock = SystemClock()
    async with open_hall(settings.database, clock=clock) as hall:
        person = next((one for one in hall.state.staff.values() if one.number == number), None)
        if person is None:
            raise Refusal("staff.unknown")
        accounts = open_accounts(hall.store, clock, await asyncio.to_thread(Passwords))
        password = await accounts.staff.reset(person)
        await accounts.sessions.drop_subject(person.id)
        await accounts.devices.forget_login(staff=person.id)
    return (
        f"  工号 staff number {number}   一次性密码 one-time password  {password}\n"
        "  24 小时内有效 good for 24 hours"
    )
