"""Addresses of the city console that the crawl over links need not find, each with its reason. Every other one is a page that
somebody's link leads to and the crawl looks at: a new page without a link, or behind rows that no fresh city has, fails
there until it is linked, or looked at among the rare pages."""

import re
from collections.abc import Collection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
API = "/api/v1/"
CITY_ROUTES = tuple(
    one
    for one in re.findall(
        r"`GET (\S+)`", (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    )
    if not one.startswith(API)
)
"""All addresses of the console that are asked for with GET, as ``test_who_may_do_what.py`` holds them to the program; the calls of
the open API are none for people."""
RARE = frozenset(
    {
        "/alarms/receivers/edit/{receiver}",
        "/alarms/{no}",
        "/appointments/one/{appointment}",
        "/backups/kept/{name}/drop",
        "/backups/kept/{name}/restore",
        "/backups/restore",
        "/c/book/hold/{appointment}",
        "/c/book/{hall}/times",
        "/c/bookings/{appointment}",
        "/c/bookings/{appointment}/cancel",
        "/c/login",
        "/c/messages/{no}",
        "/catalogue/sync/conflicts/{code}",
        "/catalogue/sync/runs/{no}",
        "/configuration-copies",
        "/departments/edit/{department}",
        "/exports/new/{name}",
        "/integrators/{integrator}",
        "/integrators/{integrator}/edit",
        "/jobs/{no}",
        "/login/second",
        "/notifications/parked",
        "/notifications/{no}",
        "/personal/{holder}/{record}",
        "/requests",
        "/requests/new",
        "/requests/{no}",
        "/rollouts/{no}",
        "/scan/{token}",
        "/staff/edit/{number}",
        "/wall/enter",
    }
)
"""Pages for what no fresh city has: ``test_rare_pages_in_browser.py`` looks at them where it has happened."""
NO_PAGES = {
    "a file": (
        "/accounts/list.{kind}",
        "/accounts/unused.{kind}",
        "/acts/{hall}/{act}/file",
        "/alarms.{kind}",
        "/appointments/figures.{kind}",
        "/appointments/list.{kind}",
        "/assets/{hash}/{name}",
        "/audit/export.{kind}",
        "/c/bookings/{appointment}/visit.ics",
        "/calendar/days.{kind}",
        "/catalogue/items.{kind}",
        "/catalogue/sync/runs/{no}/rows.{kind}",
        "/configurations/{hall}/history.{kind}",
        "/departments/list.{kind}",
        "/devices/export.{kind}",
        "/divisions/list.{kind}",
        "/integrators.{kind}",
        "/jobs/{no}/file",
        "/models/{model}/photo",
        "/notifications.{kind}",
        "/staff/list.{kind}",
    ),
    "a part of pages that are looked at": ("/alarms/bell", "/c/messages/count"),
    "leads on to another page, or out to a provider and back": (
        "/c/halls/near",
        "/c/login/back",
        "/c/login/go",
        "/c/look",
        "/c/me/alipay/back",
        "/c/me/alipay/go",
        "/language",
        "/login/sso",
        "/login/sso/back",
        "/login/sso/out",
        "/password/sso/back",
        "/password/sso/begin",
    ),
    "for programs": ("/healthz", "/link", "/live", "/metrics", "/metrics/health"),
}
NO_PAGE = frozenset(one for these in NO_PAGES.values() for one in these)
LINKED = frozenset(CITY_ROUTES) - RARE - NO_PAGE


def pattern(route: str) -> str:
    """What addresses of a route look like."""
    return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route))


def not_among(routes: Collection[str], seen: Collection[str]) -> list[str]:
    """Those of ``routes`` that nothing in ``seen`` belongs to, whether it names them or one page of theirs."""
    missing = frozenset(routes) - frozenset(seen)
    return sorted(
        one for one in missing if not any(re.fullmatch(pattern(one), each) for each in seen)
    )


# ---- a hall's own pages -----------------------------------------------------------------------------

HALL_PAGES = (
    "/manage/",
    "/manage/devices",
    "/manage/queues",
    "/manage/windows",
    "/manage/tickets",
    "/manage/ratings",
    "/manage/pair",
    "/manage/staff",
    "/manage/ticket-layouts",
    "/manage/ticket-layouts/builtin/copy",
    "/manage/kiosk-screens",
    "/manage/kiosk-screens/builtin/copy",
    "/manage/rules",
    "/manage/rules/edit",
    "/manage/hall",
    "/manage/hours",
    "/manage/roster",
    "/manage/offers",
    "/manage/boards",
    "/manage/boards/new/overview",
    "/manage/boards/new/area-strip",
    "/manage/announcements",
    "/manage/forecast",
    "/manage/backups",
    "/manage/password",
)
"""Pages of every hall, as ``test_manager_in_browser.py`` looks at them. The others are rare: ``test_rare_pages_at_a_hall_in_browser.py``
looks at each where there is what it is for."""
HALL_NO_PAGES = {
    "a file, or data": (
        "/assets/{hash}/{name}",
        "/cameras/{profile}",
        "/faces/{file}",
        "/kiosk/r/{release}/{file}",
        "/kiosk/{file}",
        "/manage/acts/{act}/file",
        "/manage/announcements/sample.wav",
        "/manage/boards/drafts/{draft}",
        "/manage/boards/drafts/{draft}/strip.{form}",
        "/t/notify.js",
        "/tablet/r/{release}/{file}",
        "/tablet/{file}",
        "/voice/available",
        "/voice/test.wav",
        "/voice/{call_no}.wav",
    ),
    "a part of pages that are looked at": ("/manage/pair/{device}/status", "/t/{token}/look"),
    "leads on to another page": ("/board", "/kiosk", "/language", "/manage"),
    "for programs": ("/healthz", "/hub", "/manage/live", "/metrics", "/t/{token}/live"),
    "a screen of its own size whose point is live data, with journeys of its own": (
        "/board/",
        "/kiosk/",
        "/kiosk/look.html",
        "/tablet/call.html",
        "/tablet/rate.html",
    ),
    "a citizen's phone: test_phone_in_browser.py looks at every face of it at 320 px": (
        "/t/{token}",
        "/t/{token}/leave",
        "/t/{token}/rate/{no}",
        "/t{rest}",
    ),
}
HALL_NO_PAGE = frozenset(one for these in HALL_NO_PAGES.values() for one in these)
