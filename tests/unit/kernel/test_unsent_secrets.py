"""What is never written into a page that keeps a form: every password and every code for once, wherever it is typed."""

import re
from pathlib import Path

import pytest

from qingting.contract.states import Language
from qingting.kernel.web import Pages, Shell
from qingting.kernel.web.csrf import made_for, mark_of, token_for
from qingting.kernel.web.unsent import SECRETS

ROOT = Path(__file__).resolve().parents[3]
SECRET = re.compile(r"""type=['"]password['"]|one-time-code""")
NAME = re.compile(r"""ui\.field\('(\w+)'|<input\b[^>]*?\bname="([\w{} -]+)\"""")
FOLDERS = ("console", "hallserver", "qingting/web")


def secret_inputs() -> list[tuple[str, str]]:
    """Template and name of each input for something secret; an input stands in one line."""
    found = []
    for folder in FOLDERS:
        for template in sorted((ROOT / folder).rglob("*.html")):
            for line in template.read_text("utf-8").splitlines():
                if "macro field" in line or template.name == "unsent.html":
                    continue
                for place in SECRET.finditer(line):
                    before = [*NAME.finditer(line[: place.start() + 1])]
                    found.append((template.name, before[-1][1] or before[-1][2] if before else "?"))
    return found


def test_every_secret_input_has_a_name_that_is_never_kept() -> None:
    found = secret_inputs()
    assert {"login.html", "c_me.html", "restore_parts.html", "backup.html"} <= {
        template for template, _ in found
    }
    assert [one for one in found if one[1] not in SECRETS] == []


def test_a_token_tells_whose_form_it_is_and_its_mark_is_no_token() -> None:
    token = token_for("anna")
    mark = mark_of(token)
    assert (made_for(token, "anna"), made_for(token, "bert")) == (True, False)
    assert made_for(f".{mark}", "anna") is True
    assert mark_of(token_for("anna")) != mark, "another one in each session"
    assert token.removesuffix(mark) not in mark
    assert len(token.removesuffix(mark)) > 20


@pytest.mark.parametrize("token", ["", "plain", "a.", ".x", "a.b.c", "é.é"])
def test_what_is_no_token_of_a_session_is_made_for_nobody(token: str) -> None:
    assert made_for(token, "anna") in (None, False)


def test_inputs_are_called_as_their_pages_call_them_where_those_agree() -> None:
    packages = ("console.modules.organisation", "console.modules.identity")
    pages = Pages(packages, lambda _: Shell(product="x"), now_ms=lambda: 0)
    assert pages.label(Language.ZH, "uscc") == "统一社会信用代码"
    assert pages.label(Language.EN, "no-such-input") == ""
    assert pages.label(Language.ZH, "name") == "", "an account's, a department's, a role's"
