"""Every list of a staff page is there as a spreadsheet and on paper, or it says here why not."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CITIZENS = ("citizens", "inbox")
"""Modules whose pages are no staff's; what a citizen may keep is on ``/c/me/requests``."""
CITY = sorted(
    one
    for one in (ROOT / "console").rglob("templates/*.html")
    if one.parent.parent.name not in CITIZENS
)
HALL = sorted((ROOT / "hallserver/app/templates").glob("*.html"))
PAGES = CITY + HALL
NOT_TAKEN = {
    "api_docs.html": "a document, printed as it is; the whole is openapi.json",
    "devices_print.html": "is itself the print version; its file is on the list it comes from",
}
NO_TABLE = {
    "calendar_month.html": "a month as people know it from the wall; the year is a file on calendar_year.html",
    "calendar_year.html": "months as people know them from the wall; the days are a file of their own",
}
DRAWN_LISTS = {
    "alarm.html": "the course of one alarm; the alarms are a file",
    "api_docs.html": "a document",
    "appointment_rule.html": "times within a cell of a table",
    "appointments_day.html": "times within a cell of a table",
    "away.html": "the steps of what is waited for",
    "calendar_notice.html": "what is wrong in the text above",
    "catalogue_edit.html": "what is wrong in the form",
    "catalogue_item.html": "parts of one item; the items are a file",
    "configuration.html": "what a draft leads to; the differences are a table",
    "configuration_text.html": "what is wrong in the text above",
    "device.html": "what to do now; what happened is a table",
    "division.html": "links to what is a file on departments.html",
    "hall.html": "parts of a machine; the devices are a file on devices.html",
    "integrator.html": "scopes and dates of one client; clients, calls and deliveries are tables",
    "job.html": "why one job left out a hall; the jobs are a file",
    "notification.html": "the course of one message; the messages are a file",
    "notifications_wording.html": "fields to put in",
    "ratings.html": "words within a cell of a table",
    "recovery_codes.html": "secrets that are shown once",
    "restore.html": "what will happen, and what the audit has more of; the audit is a file",
    "rollout.html": "the steps of one rollout; its devices are tables",
    "second_factor.html": "what to do",
    "sheet_import.html": "what is wrong in the sheet above",
    "wall.html": "a screen on a wall; its figures are tables on the overview",
    "hall:backup.html": "what putting a backup in place leads to; the backups are a table",
    "hall:hours.html": "the days that the form above leads to",
    "hall:overview.html": "calls for help that go with a tap",
    "hall:roster.html": "windows without a clerk now; the week is a table",
    "hall:rules.html": "what to look at; the rules and their versions are tables",
    "hall:setup.html": "what a draft changes",
}
PLAIN_LIST = re.compile(r'<(ul|ol)\b(?! class="(rows|steps|faults)\b)')
"""Rows of a form, steps to take and what is wrong in a form are no lists to take."""


def name_of(page: Path) -> str:
    return f"hall:{page.name}" if page in HALL else page.name


def calls(text: str) -> list[str]:
    """What stands between the brackets of each ``ui.table``."""
    found = []
    for start in re.finditer(r"ui\.table\(", text):
        depth, end = 1, start.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        found.append(text[start.end() : end - 1])
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_list_leaves_as_a_spreadsheet_or_says_why_not(page: Path) -> None:
    text = page.read_text("utf-8")
    for call in calls(text):
        if "out='none'" in call:
            assert name_of(page) in NOT_TAKEN
        else:
            assert "out=" not in call
        if "files=(" in call:
            assert ".xlsx" in call
            assert ".csv" in call
    if "<table" in text:
        assert name_of(page) in NO_TABLE, "tables are made by ui.table, which takes them out"
    if PLAIN_LIST.search(text):
        assert name_of(page) in DRAWN_LISTS, "a list that is none of ui.table says why"


def test_no_reason_outlives_its_page() -> None:
    assert PAGES
    names = {name_of(one) for one in PAGES}
    assert names >= set(NOT_TAKEN) | set(NO_TABLE) | set(DRAWN_LISTS)
