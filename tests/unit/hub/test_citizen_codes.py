"""A citizen code is asked about within limits, and a platform that fails is told once and comes back."""

import asyncio
import base64
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from hallserver.app.code_platform import read_answer, read_kinds
from hallserver.app.settings import HallSettings, load_hall_settings
from hallserver.hub.citizen_codes import (
    MOST_A_MINUTE,
    CodeDesk,
    CodeKind,
    CodePerson,
    CodeServiceError,
    may_be_citizen_code,
)
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.security.lease_keys import new_lease_token
from qingting.kernel.settings import SettingsError

K1, K2 = DeviceId("k1"), DeviceId("k2")
CODE = "QTSMMabcdefghijkl"
PERSON = {
    "name": "张示例",
    "kind": "resident_id",
    "number": "230602199001011238",
    "valid_to": "20390501",
}


def answer(**changes: object) -> bytes:
    return msgspec.json.encode({"result": "ok", "request": "r1", "person": PERSON} | changes)


def refused(body: bytes) -> str:
    with pytest.raises(Refusal) as found:
        read_answer(body, "r1")
    assert found.value.__cause__ is None, "the decoder's words may hold what stood in the answer"
    return found.value.code


# ---- answers -----------------------------------------------------------------------------------------


def test_a_sound_answer_gives_the_person() -> None:
    person = read_answer(answer(), "r1")
    assert (person.name, person.kind) == ("张示例", CertificateKind.RESIDENT_ID)


@pytest.mark.parametrize("result", ["unknown", "expired", "used"])
def test_what_the_platform_says_of_a_code_is_told_apart(result: str) -> None:
    body = msgspec.json.encode({"result": result, "request": "r1"})
    assert refused(body) == f"citizen_code.{result}"


@pytest.mark.parametrize(
    "changes",
    [
        {"request": "r2"},
        {"result": "fine"},
        {"person": None},
        {"person": PERSON | {"name": ""}},
        {"person": PERSON | {"kind": "library_card"}},
        {"person": PERSON | {"number": 230602}},
        {"person": PERSON | {"number": "2" * 19}},
        {"person": PERSON | {"valid_to": "2039-05-01"}},
        {"person": PERSON | {"phone": "1"}},
        {"more": 1},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_an_answer_that_differs_from_the_interface_is_not_taken(
    changes: Mapping[str, object],
) -> None:
    assert refused(answer(**changes)) == "citizen_code.malformed"


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_garbage_is_refused_and_raises_nothing_else(body: bytes) -> None:
    assert refused(body) == "citizen_code.malformed"


@given(st.data())
def test_an_answer_cut_or_changed_anywhere_is_refused_or_still_whole(data: st.DataObject) -> None:
    whole = answer()
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + 1 :]
    try:
        person = read_answer(broken, "r1")
    except Refusal as refusal:
        assert refusal.code == "citizen_code.malformed"
    else:
        assert isinstance(person, CodePerson)


# ---- what may leave the hall -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "http://10.1.2.3:8080/t/abcdefghijkl",
        "HTTPS://hall.test/b/abcdefghijkl",
        "http://hall.test/scan/abcdefghijkl",
        "t/abcdefghijkl",
        " /scan/x",
    ],
)
def test_links_of_a_hall_are_never_asked_about(text: str) -> None:
    assert not may_be_citizen_code(text)


@given(st.binary(min_size=16, max_size=16), st.integers(1, 2**31), st.booleans())
def test_what_has_the_shape_of_a_halls_token_is_never_asked_about(
    bits: bytes, serial: int, leased: bool
) -> None:
    token = base64.urlsafe_b64encode(bits).decode().rstrip("=")
    text = new_lease_token(bits, "ga", serial) if leased else token
    assert not may_be_citizen_code(f" {text} ")
    assert may_be_citizen_code("Q" + token)
    assert may_be_citizen_code(token[:-1])


def test_other_codes_may_be_asked_about() -> None:
    assert may_be_citizen_code(CODE)
    assert may_be_citizen_code("https://code.city.test/c?x=1")


class Platform:
    """Answers as the test says."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self.asked: list[str] = []
        self.kinds_asked: list[CodeKind] = []
        self.kinds = frozenset(CodeKind)
        self.checks = 0

    async def resolve(self, code: str, kind: CodeKind) -> CodePerson:
        self.asked.append(code)
        self.kinds_asked.append(kind)
        self._stumble()
        return msgspec.convert(PERSON, CodePerson)

    async def check(self) -> frozenset[CodeKind]:
        self.checks += 1
        self._stumble()
        return self.kinds

    def _stumble(self) -> None:
        if self.fault is not None:
            raise CodeServiceError(self.fault)


class Bench:
    def __init__(self) -> None:
        self.platform = Platform()
        self.clock = ManualClock()
        self.turns: list[bool | None] = []
        self.desk = CodeDesk(self.platform, self.clock, self._changed)
        self.watching = asyncio.create_task(self.desk.watch())

    def _changed(self) -> None:
        self.turns.append(self.desk.offers(CodeKind.CODE))

    async def refused(self, text: str, kiosk: DeviceId = K1) -> str:
        with pytest.raises(Refusal) as found:
            await self.desk.look_up(kiosk, text)
        return found.value.code

    async def close(self) -> None:
        self.watching.cancel()
        await asyncio.wait({self.watching})


@pytest.fixture
async def bench():  # type: ignore[no-untyped-def]
    made = Bench()
    await made.clock.advance(0.1)
    yield made
    await made.close()


@pytest.mark.parametrize(
    "text", ["", "short", "x" * 513, "有汉字的码有汉字的码", "line\nline-line", "a b c d e f"]
)
async def test_what_can_be_no_code_is_not_sent_out(bench: Bench, text: str) -> None:
    assert await bench.refused(text) == "citizen_code.unknown"
    assert bench.platform.asked == []


async def test_a_kiosk_may_ask_ten_times_a_minute_and_others_still_may(bench: Bench) -> None:
    for at in range(MOST_A_MINUTE):
        await bench.desk.look_up(K1, f"{CODE}{at}")
    assert await bench.refused(CODE) == "citizen_code.too_often"
    await bench.desk.look_up(K2, CODE)
    assert len(bench.platform.asked) == MOST_A_MINUTE + 1
    await bench.clock.advance(61)
    await bench.desk.look_up(K1, CODE)


async def test_a_platform_that_fails_is_told_once_refused_at_once_and_comes_back(
    bench: Bench,
) -> None:
    with capture_logs() as logs:
        bench.platform.fault = "deadline"
        assert await bench.refused(CODE) == "citizen_code.unavailable"
        asked = len(bench.platform.asked)
        assert await bench.refused(CODE) == "citizen_code.unavailable"
        assert len(bench.platform.asked) == asked, "nobody waits for what is known to be lost"
        await bench.clock.advance(120)
        assert bench.platform.checks > 3
        bench.platform.fault = None
        await bench.clock.advance(30)
        await bench.desk.look_up(K1, CODE)
    assert [one["event"] for one in logs] == [
        "citizen_code.service_lost",
        "citizen_code.service_back",
    ]
    assert bench.turns == [True, False, True]


async def test_a_credential_is_sent_out_once_and_only_where_faces_are_taken(bench: Bench) -> None:
    bench.platform.kinds = frozenset({CodeKind.CODE})
    await bench.clock.advance(35)
    with pytest.raises(Refusal) as found:
        await bench.desk.look_up(K1, CODE, CodeKind.FACE)
    assert found.value.code == "face.not_offered"
    assert bench.desk.offers(CodeKind.FACE) is None
    bench.platform.kinds = frozenset(CodeKind)
    await bench.clock.advance(35)
    assert bench.desk.offers(CodeKind.FACE)
    await bench.desk.look_up(K1, CODE, CodeKind.FACE)
    with pytest.raises(Refusal) as found:
        await bench.desk.look_up(K2, CODE, CodeKind.FACE)
    assert found.value.code == "face.used"
    await bench.desk.look_up(K2, CODE)
    assert bench.platform.kinds_asked == [CodeKind.FACE, CodeKind.CODE]


async def test_a_credential_that_failed_on_the_way_is_not_tried_again(bench: Bench) -> None:
    bench.platform.fault = "deadline"
    for code in ("face.unavailable", "face.used"):
        with pytest.raises(Refusal) as found:
            await bench.desk.look_up(K1, CODE, CodeKind.FACE)
        assert found.value.code == code
        bench.platform.fault = None
        await bench.clock.advance(30)


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (b"", {CodeKind.CODE}),
        (b"{}", {CodeKind.CODE}),
        (b'{"kinds": ["code", "face", "iris"], "more": 1}', set(CodeKind)),
        (b'{"kinds": ["face"]}', {CodeKind.FACE}),
        (b'{"kinds": "face"}', {CodeKind.CODE}),
        (b"\xff", {CodeKind.CODE}),
    ],
)
def test_a_platform_says_what_it_resolves(body: bytes, kinds: set[CodeKind]) -> None:
    assert read_kinds(body) == kinds


@pytest.mark.parametrize("result", ["unknown", "expired", "used"])
def test_an_answer_about_a_face_is_refused_in_its_own_words(result: str) -> None:
    body = msgspec.json.encode({"result": result, "request": "r1"})
    with pytest.raises(Refusal) as found:
        read_answer(body, "r1", CodeKind.FACE)
    assert found.value.code == f"face.{result}"


async def test_a_platform_that_died_in_silence_is_noticed_before_anybody_scans(
    bench: Bench,
) -> None:
    bench.platform.fault = "status 503"
    await bench.clock.advance(35)
    assert bench.desk.offers(CodeKind.CODE) is False


async def test_a_hall_without_a_platform_says_so_and_watches_nothing() -> None:
    desk = CodeDesk(None, ManualClock(), lambda: None)
    await desk.watch()
    assert desk.offers(CodeKind.CODE) is None
    with pytest.raises(Refusal) as found:
        await desk.look_up(K1, CODE)
    assert found.value.code == "citizen_code.not_offered"


# ---- settings ----------------------------------------------------------------------------------------

GOOD = {
    "QINGTING_CITIZEN_CODE_URL": "https://codes.city.test/api",
    "QINGTING_CITIZEN_CODE_KEY": "hall-1",
    "QINGTING_CITIZEN_CODE_SECRET": "s",
}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, []),
        ({"QINGTING_CITIZEN_CODE_URL": "http://127.0.0.1:8150/api"}, []),
        ({"QINGTING_CITIZEN_CODE_URL": "http://codes.city.test"}, ["citizen_code_url"]),
        ({"QINGTING_CITIZEN_CODE_URL": "codes.city.test"}, ["citizen_code_url"]),
        (
            {
                "QINGTING_CITIZEN_CODE_URL": "https://c.test/?key=1",
                "QINGTING_CITIZEN_CODE_KEY": "",
                "QINGTING_CITIZEN_CODE_SECRET": "",
            },
            ["citizen_code_url", "citizen_code_key", "citizen_code_secret"],
        ),
        ({"QINGTING_CITIZEN_CODE_URL": ""}, ["citizen_code_key", "citizen_code_secret"]),
        ({"QINGTING_CITIZEN_CODE_SECONDS": "60"}, ["citizen_code_seconds"]),
    ],
)
def test_every_fault_of_the_settings_is_named(changes: dict[str, str], faults: list[str]) -> None:
    try:
        load_hall_settings(None, GOOD | changes)
        found = []
    except SettingsError as error:
        found = [one.split(":")[0] for one in error.faults]
    assert found == faults


def test_a_hall_needs_no_platform() -> None:
    assert load_hall_settings(None, {}) == HallSettings()
