"""The open API's refusals say all that people read in the caller's language, out of the one catalogue."""

import re
from datetime import date
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
import pytest

from console.modules.gateway import expecting
from console.modules.gateway.problem import answer, problem_of
from console.modules.gateway.reading import Unfit
from qingting.contract.errors import Refusal, error_texts
from qingting.contract.states import Language

M, ZH, EN = msgspec.Meta, Language.ZH, Language.EN
HAN = re.compile(r"[\u4e00-\u9fff]")


class Colour(StrEnum):
    RED = "red"


CASES: list[tuple[Any, object, str, str]] = [
    (int, "x", "应为 int，收到的是 str", "Expected int, got str"),
    (int | None, "x", "应为 int | null，收到的是 str", "Expected int | null, got str"),
    (Annotated[int, M(ge=1)], 0, "应为 int，且 >= 1", "Expected int >= 1"),
    (Annotated[float, M(lt=2.5)], 3.0, "应为 float，且 < 2.5", "Expected float < 2.5"),
    (Annotated[str, M(max_length=2)], "abc", "应为 str，长度 <= 2", "Expected str of length <= 2"),
    (Annotated[str, M(pattern="^a{2}$")], "b", "应为 str，符合 ^a{2}$", "Expected str matching ^a{2}$"),
    (Colour, "b", "b 不是可选的值，可选的值见接口文档", "b is none of the values that the documentation lists"),
    (Literal[1, 2], 5, "5 不是可选的值，可选的值见接口文档", "5 is none of the values that the documentation lists"),
    (date, "x", "date 的写法不对，应按 RFC 3339", "Invalid date; RFC 3339 is expected"),
    (tuple[int, int], [1], "应为 array，长度 2，收到的是 1", "Expected array of length 2, got 1"),
    (msgspec.defstruct("S", ["a"]), {}, "缺少必填字段 a", "The required field a is missing"),
    (msgspec.defstruct("T", [("a", int)], forbid_unknown_fields=True), {"b": 1}, "没有字段 b", "There is no field b"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "zh", "en"), CASES)
def test_what_a_field_must_be_is_said_in_both_languages(
    kind: Any, value: object, zh: str, en: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, kind)
    found = expecting.of_message(str(caught.value))
    assert (found.sentence(ZH), found.sentence(EN)) == (zh, en)


def test_what_no_rule_knows_points_to_the_documentation_and_leaks_nothing() -> None:
    found = expecting.of_message("Something new about `x`")
    assert HAN.search(found.sentence(ZH))
    assert not HAN.search(found.sentence(EN))
    assert "Something" not in found.sentence(EN)


@pytest.mark.parametrize("language", Language)
def test_a_problem_is_in_one_language_and_its_code_in_none(language: Language) -> None:
    refusal = Unfit("api.parameter", "limit", expecting.of_message("Expected `int` <= 100"))
    got = answer(refusal, language, "r1")
    assert got.headers["Content-Language"] == language.value
    assert got.headers["Vary"] == "Accept-Language"
    assert isinstance(got.body, bytes)
    found = msgspec.json.decode(got.body)
    assert found["code"] == "api.parameter"
    said = [found[name] for name in ("title", "detail", "expected")]
    assert [bool(HAN.search(one)) for one in said] == [language is ZH] * 3


def test_every_status_of_a_refusal_has_a_name_in_both_languages() -> None:
    statuses = {one.status for one in error_texts().values()}
    named = {code for code in error_texts() if code.startswith("status.")}
    assert named == {f"status.{one}" for one in statuses}
    for status in sorted(statuses):
        code = next(code for code, one in error_texts().items() if one.status == status)
        zh, en = (problem_of(Refusal(code), one, "").title for one in (ZH, EN))
        assert HAN.search(zh), status
        assert en == HTTPStatus(status).phrase
