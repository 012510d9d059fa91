"""What belongs on a device's timeline, what a profile tells a person, and what becomes of an uploaded picture."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from console.modules.devicepage.domain import Standing, What, happened
from console.modules.devicepage.knowledge import MODELS
from console.modules.devicepage.photos import SIDE, photo_of
from console.modules.devicepage.words import CARRIERS, drawing_of, here
from console.modules.devices.api import ConditionSince, DeviceInfo
from hallserver.devices.profile_camera import CameraProfile
from hallserver.devices.profiles import shipped_profiles
from qingting.contract import events as e
from qingting.contract.conditions import condition_texts
from qingting.contract.errors import Refusal
from qingting.contract.examples import CONFIG, DAY
from qingting.contract.ids import CommandKey, DeviceId, HallId
from qingting.contract.states import Condition, DeviceKind, DeviceState, Language
from qingting.kernel.i18n import Catalogue

PRINTER = DeviceId("k1-printer")


def event(body: e.EventBody, at: int = 1000) -> e.Event:
    return e.Event(s=1, at=at, bd=DAY, by="test", cmd=CommandKey("key-00000001"), b=body)


def changed(state: DeviceState, *conditions: Condition) -> e.DeviceChanged:
    return e.DeviceChanged(
        device=PRINTER, kind=DeviceKind.PRINTER, state=state, conditions=conditions
    )


class TestTimeline:
    @given(
        st.lists(
            st.tuples(st.sampled_from(DeviceState), st.frozensets(st.sampled_from(Condition))),
            max_size=12,
        )
    )
    def test_the_lines_read_forwards_give_the_present_back(
        self, steps: list[tuple[DeviceState, frozenset[Condition]]]
    ) -> None:
        known: dict[str, Standing] = {}
        state, conditions = "", set[str]()
        for now, present in steps:
            for line in happened(known, event(changed(now, *present))):
                assert line.what is What.CHANGED
                assert line.before == (state if line.state else "")
                state = line.state or state
                conditions = (conditions | set(line.began)) - set(line.ended)
            assert state == now.value
            assert conditions == {one.value for one in present}

    def test_a_report_without_news_makes_no_line(self) -> None:
        known: dict[str, Standing] = {}
        body = changed(DeviceState.DEGRADED, Condition.PAPER_LOW)
        assert len(happened(known, event(body))) == 1
        assert happened(known, event(body)) == []

    def test_a_configuration_names_new_devices_once_and_tells_another_model(self) -> None:
        known: dict[str, Standing] = {}
        applied = event(e.ConfigApplied(config=CONFIG))
        assert [line.what for line in happened(known, applied)] == [What.KNOWN]
        assert happened(known, applied) == []
        known[CONFIG.devices[0].id].profile = "other.model"
        assert [line.what for line in happened(known, applied)] == [What.MODEL]


class TestModels:
    def test_the_city_knows_every_shipped_model_as_the_agents_do(self) -> None:
        library = shipped_profiles()
        assert set(MODELS) == set(library.ids())
        for key in library.ids():
            theirs, ours = library.load(key), MODELS[key]
            # A camera is its browser's: it has no line of its own.
            carriers = () if isinstance(theirs, CameraProfile) else theirs.transport.carriers
            assert (ours.vendor, ours.model, ours.kind, ours.evidence, ours.carriers) == (
                theirs.vendor, theirs.model, theirs.kind, theirs.evidence, carriers,
            )  # fmt: skip

    def test_every_interface_and_kind_of_evidence_has_words_in_both_languages(self) -> None:
        texts = Catalogue.load("console.modules.devicepage")
        keys = {f"carrier.{one}" for one in CARRIERS}
        keys |= {f"evidence.{model.evidence}" for model in MODELS.values()}
        assert {one for model in MODELS.values() for one in model.carriers} <= CARRIERS
        for key in keys:
            for language in Language:
                assert texts.text(language, key), key

    def test_every_kind_of_device_has_a_drawing(self) -> None:
        from console.app.server import _STATIC

        assert [kind for kind in DeviceKind if not (_STATIC / drawing_of(kind)).is_file()] == []


def device(state: DeviceState, *conditions: Condition) -> DeviceInfo:
    return DeviceInfo(
        hall=HallId("h"), hall_name="厅", hall_name_en="Hall", id=PRINTER, kind=DeviceKind.PRINTER,
        name="打印机", name_en="Printer", parent="", parent_name="", parent_name_en="", window="",
        state=state, conditions=tuple(ConditionSince(condition=one, since=5) for one in conditions),
        detail="", since=3, seen=9, fresh=True,
    )  # fmt: skip


class TestHints:
    def test_the_worst_comes_first_and_a_silent_loss_asks_for_the_cable(self) -> None:
        two = device(DeviceState.DEGRADED, Condition.PAPER_LOW, Condition.COVER_OPEN)
        assert [step.tone for step in here(two, None, Language.ZH)] == ["fault", "caution"]
        (lost,) = here(device(DeviceState.LOST), None, Language.EN)
        assert lost.hint == condition_texts()[Condition.OFFLINE].hint_en
        assert here(device(DeviceState.READY), None, Language.ZH) == []

    def test_the_words_of_the_model_go_before_those_for_all(self) -> None:
        own = [model for model in MODELS.values() if model.hints]
        assert own
        for model in own:
            for condition in model.hints:
                (step,) = here(device(DeviceState.DEGRADED, condition), model, Language.ZH)
                assert step.own
                assert step.hint == model.hints[condition].zh


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30), **more: object) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", size, "#336699").save(kept, kind, **more)
    return kept.getvalue()


class TestPhotos:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_a_picture_is_written_again_small_and_without_what_the_camera_knew(
        self, kind: str
    ) -> None:
        exif = Image.Exif()
        exif[0x010F] = "Camera of somebody"
        exif[0x0112] = 6
        photo = photo_of(picture(kind, (3000, 1000), exif=exif))
        again = Image.open(io.BytesIO(photo.body))
        assert again.format == "WEBP"
        # Turned upright by the camera's own word, then made small.
        assert (again.width, again.height) == (400, SIDE) == (photo.width, photo.height)
        assert b"Camera" not in photo.body
        assert not again.getexif()

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"GIF89a",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            picture()[:200],
            picture("BMP"),
        ],
    )
    def test_what_is_no_photograph_is_refused(self, data: bytes) -> None:
        with pytest.raises(Refusal) as refused:
            photo_of(data)
        assert refused.value.code == "photo.unreadable"

    def test_a_picture_that_would_fill_the_memory_is_not_decoded(self) -> None:
        bomb = picture("PNG", (9000, 9000))
        assert len(bomb) < 500_000
        with pytest.raises(Refusal) as refused:
            photo_of(bomb)
        assert refused.value.code == "photo.unreadable"
