"""The first password of a hall, wrong ones, and starts of the server before anybody used it."""

from fixtures_manager import PASSWORD, Site, Starts
from form_fields import invalid_inputs


async def test_the_first_password_works_once_and_must_be_changed(site: Site) -> None:
    _, page = await site.log_in(password=site.first_password)
    assert "一次性密码" in page
    response = await site.client.get("/manage/devices")
    assert response.url.path == "/manage/password", "nothing else before that"
    change = {"old": site.first_password, "new": PASSWORD, "again": PASSWORD}
    status, page = await site.post("/manage/password", form_at="/manage/password", **change)
    assert (status, "密码已修改" in page, "大厅现在" in page) == (200, True, True)
    await site.client.post("/manage/logout", data={})
    site.client.session.cookie_jar.clear()
    assert (await site.log_in(password=site.first_password))[0] == 401
    assert (await site.log_in())[0] == 200


async def test_a_first_password_lost_before_its_use_locks_nobody_out(starts: Starts) -> None:
    async with starts.site() as site:
        lost = site.first_password
    async with starts.site() as site:
        assert starts.shown not in (None, lost), "another start prints another one"
        assert (await site.log_in(password=lost))[0] == 401
        assert (await site.log_in(password=site.first_password))[0] == 200
        change = {"old": site.first_password, "new": PASSWORD, "again": PASSWORD}
        await site.post("/manage/password", form_at="/manage/password", **change)
    async with starts.site() as site:
        assert starts.shown is None, "the manager has a password of their own"
        assert (await site.log_in())[0] == 200


async def test_a_wrong_password_is_told_at_the_inputs_too(site: Site) -> None:
    assert invalid_inputs((await site.get("/manage/login"))[1]) == set()
    _, page = await site.log_in(password="wrong-by-far")
    assert invalid_inputs(page) == {"number", "password"}
