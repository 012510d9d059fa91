"""The list of accounts is taken out however long it is: at once, or by a job whose file is the same."""

import pytest
from console_browser import NEW_PASSWORD, browser, console
from restore_steps import over

from console.core.audit import read_audit
from console.modules.identity.repository import AccountRepository

pytestmark = pytest.mark.postgres


async def test_a_list_of_accounts_that_is_long_becomes_a_job_with_the_same_file(
    city_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(city_url) as ready, browser(ready) as keeper:
        first = {one.account: one.password for one in ready.one_time_passwords}["security"]
        await keeper.login(first, "security")
        new = {"present": first, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
        assert (await keeper.submit("/password", "/password", **new))[0] == 200
        async with ready.city.db.write() as uow:
            accounts = AccountRepository(uow)
            for number in range(9):
                await accounts.add(f"a{number}", f"wang{number}", "-", 1, division="230602000000")
        page = "/accounts?division=230602000000"
        assert "/accounts/list.csv?division=230602000000" in (await keeper.get(page))[1]
        for query, rows in (("?division=230602000000", 9), ("?q=wang3", 1), ("", 12)):
            async with keeper.http.get(f"/accounts/list.csv{query}") as answer:
                assert (answer.status, answer.url.path) == (200, "/accounts/list.csv")
                at_once = await answer.read()
            assert at_once.decode("utf-8-sig").strip().count("\n") == rows, query
        assert "萨尔图区" in at_once.decode()
        assert "等待首次登录" in at_once.decode()

        monkeypatch.setattr("console.core.long_lists.AT_ONCE", 5)
        async with keeper.http.get("/accounts/list.csv") as answer:
            path = answer.url.path
        assert "已导出 12 行" in await over(keeper, path)
        async with keeper.http.get(f"{path}/file") as answer:
            assert await answer.read() == at_once
        async with ready.city.db.read() as uow:
            told = [one.detail for one in await read_audit(uow, "list.export")]
        assert sorted(told) == ["1 csv accounts", *["12 csv accounts"] * 2, "9 csv accounts"]
