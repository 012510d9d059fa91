"""At the hall's own pages what the manager typed is as safe as at the city's."""

from fixtures_manager import PASSWORD, Site
from form_fields import form_entries

from qingting.contract.ids import StaffId

OURS = {"Sec-Fetch-Site": "same-origin"}
HOURS = "/manage/hours"


async def changed(site: Site) -> list[tuple[str, str]]:
    """The form of opening hours, with every row of it, in which one figure was typed."""
    page = await (await site.client.get(HOURS)).text()
    kept = [(name, one) for name, one in form_entries(page, HOURS) if name != "early_minutes"]
    return [*kept, ("early_minutes", "17"), ("do", "save")]


async def test_what_a_manager_typed_is_saved_after_the_next_login(inside: Site) -> None:
    entries = await changed(inside)
    await inside.desk.accounts.sessions.drop_subject("s-09")
    answer = await inside.client.post(HOURS, data=entries, headers=OURS)
    page = await answer.text()
    assert (answer.status, "什么都没有丢" in page) == (401, True)
    assert 'href="/manage/login" target="_blank"' in page
    assert '<meta name="referrer" content="same-origin">' in page
    sent = [one for one in entries if one[0] != "csrf"]
    assert [one for one in form_entries(page, HOURS) if one[0] != "csrf"] == sent

    await inside.log_in(password=PASSWORD)
    # Over plain http a browser says the origin alone.
    host = f"{inside.client.host}:{inside.client.port}"
    answer = await inside.client.post(
        HOURS, data=form_entries(page, HOURS), headers={"Origin": f"http://{host}"}
    )
    page = await answer.text()
    assert (answer.status, "现在登录的是" in page, "另一个账号" in page) == (403, True, False)
    answer = await inside.client.post(HOURS, data=form_entries(page, HOURS), headers=OURS)
    assert answer.status == 200
    config = inside.desk.state.config
    assert config is not None
    assert config.calendar.early_minutes == 17


async def test_a_name_that_stands_several_times_does_so_again(inside: Site) -> None:
    twice = [("days", "1"), ("name", "一"), ("days", "2"), ("csrf", "over.with")]
    await inside.desk.accounts.sessions.drop_subject("s-09")
    answer = await inside.client.post(HOURS, data=twice, headers=OURS)
    assert form_entries(await answer.text(), HOURS)[1:] == twice[:3]


async def test_a_preview_by_htmx_leaves_the_page_to_whoever_types(inside: Site) -> None:
    entries = await changed(inside)
    token = dict(entries)["csrf"]
    part = {**OURS, "HX-Request": "true", "X-CSRF-Token": token}
    await inside.desk.accounts.sessions.drop_subject("s-09")
    answer = await inside.client.post(HOURS, data=entries, headers=part)
    assert (answer.status, answer.headers["HX-Retarget"]) == (401, "#notice")
    assert "HX-Redirect" not in answer.headers
    assert "还在这一页" in await answer.text()


async def test_a_planted_form_is_refused_at_a_hall(inside: Site) -> None:
    entries = await changed(inside)
    await inside.desk.accounts.sessions.drop_subject("s-09")
    await inside.log_in(password=PASSWORD)
    for told in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://elsewhere.example"}):
        answer = await inside.client.post(HOURS, data=entries, headers=told)
        assert (answer.status, "unsent" in await answer.text()) == (403, False)


async def test_a_manager_with_a_password_for_once_loses_nothing_either(inside: Site) -> None:
    entries = await changed(inside)
    await inside.desk.accounts.sessions.drop_subject("s-09")
    await inside.desk.accounts.staff.put(StaffId("s-09"), PASSWORD, must_change=True)
    await inside.log_in(password=PASSWORD)
    answer = await inside.client.post(HOURS, data=entries, headers=OURS)
    page = await answer.text()
    assert (answer.status, 'href="/manage/password" target="_blank"' in page) == (403, True)
    assert ("early_minutes", "17") in form_entries(page, HOURS)
