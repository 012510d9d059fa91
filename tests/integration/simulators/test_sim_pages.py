"""What the simulators' little web pages are made of."""

import json
import re

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from simulators.pages import Folder, as_json, in_english, read_body

FOLDERS = tuple(
    f"simulators.{name}"
    for name in ("page", "citizen_code.page", "messages.page", "item_system.page", "identity_provider.page")
)  # fmt: skip


class Wanted(msgspec.Struct):
    fault: str | None = None


def text(answer: web.Response) -> str:
    assert isinstance(answer.text, str)
    return answer.text


@pytest.mark.parametrize("package", FOLDERS)
def test_every_word_is_there_in_both_languages(package: str) -> None:
    folder = Folder(package)
    chinese, english = folder.words(english=False), folder.words(english=True)
    assert chinese.keys() == english.keys()
    assert all(chinese.values())
    assert all(english.values())


def test_nothing_that_a_script_is_given_ends_it() -> None:
    ask = make_mocked_request("GET", "/?lang=en")
    page = text(Folder("simulators.messages.page").draw(ask, "index.html", data={"faults": "</script>"}))  # fmt: skip
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found is not None
    given = json.loads(found[1])
    assert (given["faults"], given["lang"]) == ("</script>", "en")
    assert '<html lang="en">' in page


def test_what_stands_on_a_page_is_escaped() -> None:
    ask = make_mocked_request("GET", "/")
    asked = {"redirect_uri": '"><b>', "state": "&", "app_id": ""}
    page = text(Folder("simulators.messages.page").draw(ask, "alipay.html", asked=asked, users=[]))
    assert '"><b>' not in page
    assert 'value="&amp;"' in page


def test_the_language_is_asked_for_in_either_way() -> None:
    assert in_english(make_mocked_request("GET", "/?lang=en"))
    assert in_english(make_mocked_request("GET", "/?ui_locales=en-GB"))
    assert not in_english(make_mocked_request("GET", "/?lang=zh-CN"))


@pytest.mark.parametrize(("body", "status"), [(b"", 200), (b'{"fault": null}', 200), (b"{", 422), (b'{"fault": 3}', 422)])  # fmt: skip
async def test_what_a_page_cannot_have_meant_is_refused(body: bytes, status: int) -> None:
    async def handler(request: web.Request) -> web.Response:
        return as_json(msgspec.to_builtins(await read_body(request, Wanted)))

    app = web.Application()
    app.router.add_post("/", handler)
    async with TestClient(TestServer(app)) as client:
        assert (await client.post("/", data=body)).status == status
