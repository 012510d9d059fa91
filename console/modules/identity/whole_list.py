"""All accounts that the filters find, as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta, timezone, tzinfo

from console.core.long_lists import BLOCK_ROWS, LongList
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow
from console.modules.identity.accounts import AccountInfo, AccountService
from console.modules.identity.views_accounts import Words, fits
from qingting.contract.states import Language
from qingting.kernel.i18n import Catalogue
from qingting.kernel.web.sheets import Cell, moment

COLUMNS = ("name", "staff", "division", "roles", "state", "last_login")
TEXTS = Catalogue.load("console.modules.identity")


def whole_list(accounts: AccountService, offset: int) -> LongList:
    """What the page shows, by name; ``offset`` in minutes is the city's."""
    zone = timezone(timedelta(minutes=offset))

    async def found(
        uow: ReadUow, subject: Subject, query: Mapping[str, str]
    ) -> Sequence[AccountInfo]:
        kept = [one for one in await accounts.accounts(uow, subject) if fits(one, query)]
        return sorted(kept, key=lambda one: one.name.casefold())

    async def count(uow: ReadUow, subject: Subject, query: Mapping[str, str]) -> int:
        return len(await found(uow, subject, query))

    async def blocks(
        uow: ReadUow, subject: Subject, query: Mapping[str, str], language: Language
    ) -> AsyncIterator[Sequence[Sequence[Cell]]]:
        halls = await accounts.hall_names(uow, subject)
        names = {str(one.id): one.title(language) for one in halls}
        words = Words(await accounts.chart(uow), names, language)
        rows = await found(uow, subject, query)
        for first in range(0, len(rows), BLOCK_ROWS):
            yield [_row(one, words, language, zone) for one in rows[first : first + BLOCK_ROWS]]

    return LongList(
        name="accounts.list",
        file="accounts",
        permission=Permission.ACCOUNTS,
        title=lambda language: TEXTS.text(language, "accounts.title"),
        head=lambda language: [TEXTS.text(language, f"account.{one}") for one in COLUMNS],
        count=count,
        blocks=blocks,
    )


def _row(one: AccountInfo, words: Words, language: Language, zone: tzinfo) -> Sequence[Cell]:
    state = "off" if one.disabled else "first" if one.must_change else "on"
    return (
        one.name,
        one.staff,
        words.division(one.division),
        "；".join(_given(one, words, language)),
        TEXTS.text(language, f"account.{state}"),
        moment(one.last_login_at, zone),
    )


def _given(one: AccountInfo, words: Words, language: Language) -> Sequence[str]:
    """Roles with what each is given for."""
    return [
        " · ".join(
            filter(
                None,
                (
                    words.role(each),
                    TEXTS.text(language, f"reach.{each.reach.kind}"),
                    words.target(each.reach),
                ),
            )
        )
        for each in one.assignments
    ]
