"""Words that are there in Chinese alone are marked on an English page, so that a screen reader says them in Chinese."""

import pytest

from qingting.contract.states import Language
from qingting.kernel.web.pages import in_its_language


def test_chinese_on_an_english_page_says_so_and_stays_text() -> None:
    found = in_its_language("<b>居民身份证</b>", Language.EN)
    assert str(found) == '<span lang="zh-CN">&lt;b&gt;居民身份证&lt;/b&gt;</span>'


@pytest.mark.parametrize(
    ("text", "language"),
    [("居民身份证", Language.ZH), ("Resident ID card", Language.EN), ("", Language.EN)],
)
def test_what_is_in_the_language_of_the_page_is_left_alone(text: str, language: Language) -> None:
    assert in_its_language(text, language) is text
