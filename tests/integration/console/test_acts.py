"""Remote hands from the city: asked by who may, sent once, told as the hall told it, each in the audit."""

import base64
import io
import zipfile
from dataclasses import replace

import pytest
from city_hall import Log
from console_browser import HALL, browser, connect_hall, console, link_of
from patience import until

from console.core.audit import read_audit
from console.core.permissions import EVERYWHERE, SYSTEM, Permission, grants_everywhere
from console.modules.acts.api import ACTS
from console.modules.acts.views import read_bundle
from console.modules.identity.roles import BUILT_IN
from qingting.contract import acts as a
from qingting.contract import directives as d
from qingting.contract import events as e
from qingting.contract import link as k
from qingting.contract.errors import Refusal
from qingting.contract.examples import AGENT, KIOSK, PRINTER
from qingting.contract.ids import DeviceId
from qingting.contract.states import ActOutcome, DeviceKind

PAGE = f"/devices/{HALL}/{PRINTER}"
JPEG = base64.b64encode(b"\xff\xd8\xff" + b"0" * 40).decode()


def zipped(**files: str) -> bytes:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as bundle:
        for name, text in files.items():
            bundle.writestr(name.replace("__", "/"), text)
    return box.getvalue()


@pytest.mark.postgres
async def test_an_act_goes_down_once_and_its_outcome_comes_back(city_url: str) -> None:
    log = Log(HALL)
    log.configure()
    for device, kind in ((PRINTER, DeviceKind.PRINTER), (AGENT, DeviceKind.AGENT)):
        log.add(
            e.DeviceRegistered(
                device=DeviceId(device), kind=kind, name="号票打印机", parent=DeviceId(KIOSK)
            )
        )
    async with (
        console(city_url) as ready,
        browser(ready) as person,
        link_of(ready) as client,
    ):
        await person.enter(ready)
        await connect_hall(ready, client, log)
        status, _, page = await person.submit(PAGE, f"{PAGE}/act", do="print.test")
        assert status == 200
        assert "进行中" in page
        down = await client.expect(k.Dir)
        direct = k.read_directive(down.directive)
        assert isinstance(direct, d.DirectAct)
        assert (direct.device, direct.action, down.expires_at) == (
            PRINTER,
            a.PrintTest(),
            direct.until,
        )
        act = a.ActId(direct.act)

        async def told(*bodies: e.EventBody) -> str:
            first = log.head + 1
            for body in bodies:
                log.add(body)
            await client.push(log.frame(first))
            await ready.city.runner.catch_up_all()
            return (await person.get("/acts"))[1]

        asked = e.DeviceActAsked(
            act=act, device=DeviceId(PRINTER), action=direct.action, until=direct.until
        )
        unknown = e.DeviceActEnded(
            act=act, device=DeviceId(PRINTER), outcome=ActOutcome.UNKNOWN, code="act.no_answer"
        )
        page = await told(asked, e.DirectiveApplied(no=1), unknown)
        assert "结果不明" in page
        assert "系统不会自动重做" in page
        page = await told(replace_outcome(unknown))
        assert "完成" in page
        assert "结果不明</span>" not in page

        # Refused at the hall, and too late there.
        await person.submit(PAGE, f"{PAGE}/act", do="print.recover")
        assert (await client.expect(k.Dir)).no == 2
        page = await told(e.DirectiveRefused(no=2, code="directive.expired"))
        assert "超时未执行" in page

        # What it brings back is kept when it is what it says, and never anything else.
        await client.send(k.File(act=act, media="text/html", data=JPEG))
        await client.send(k.File(act=act, media="image/jpeg", data=JPEG))
        where = f"/acts/{HALL}/{act}/file"

        async def fetched() -> bool:
            async with person.http.get(where) as answer:
                return answer.status == 200 and answer.content_type == "image/jpeg"

        await until(fetched)
        async with ready.city.db.read() as uow:
            entries = [(one.act, one.object) for one in await read_audit(uow)]
        assert ("device.act", f"{HALL}/{PRINTER}") in entries
        assert ("device.act_file", f"{HALL}/{act}") in entries
        await nobody_else(ready)


def replace_outcome(ended: e.DeviceActEnded) -> e.DeviceActEnded:
    return e.DeviceActEnded(
        act=ended.act, device=ended.device, outcome=ActOutcome.DONE, figures={"mm": 120}
    )


async def nobody_else(ready: object) -> None:
    """Security and audit administrators have no hands, nor does anybody make a device do another's work."""
    city = ready.city  # type: ignore[attr-defined]
    acts = city.context.take(ACTS)
    for role in BUILT_IN:
        if Permission.HANDS in role.functions:
            continue
        other = replace(SYSTEM, grants=grants_everywhere(role.functions))
        with pytest.raises(Refusal, match=r"page\.forbidden"):
            async with city.db.write() as uow:
                await acts.ask(uow, other, HALL, DeviceId(PRINTER), a.PrintTest())
    for device, action, code in (
        (PRINTER, a.RestartAgent(), "act.not_for_kind"),
        ("nobody", a.PrintTest(), "device.unknown"),
        (AGENT, a.UseProfiles(bundle="0" * 16), "act.no_bundle"),
    ):
        with pytest.raises(Refusal, match=code.replace(".", r"\.")):
            async with city.db.write() as uow:
                await acts.ask(uow, SYSTEM, HALL, DeviceId(device), action)
    async with city.db.read() as uow:
        assert len(await acts.latest(uow, EVERYWHERE)) == 2, "nothing of it was kept"


def test_hands_belong_to_those_who_look_after_devices() -> None:
    holders = {role.id for role in BUILT_IN if Permission.HANDS in role.functions}
    assert holders == {"system", "district_manager", "device_keeper"}


class TestABundle:
    def test_is_read_by_folder_and_file(self) -> None:
        data = zipped(models__printers__v_m_toml="schema = 1")
        assert list(read_bundle(data)) == ["printers/v_m_toml"]

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"PK\x03\x04 no", "act.profiles_faulty"),
            (zipped(printers__x="schema ="), "act.profiles_faulty"),
            (zipped(printers__x="#" * (a.MAX_BUNDLE_BYTES + 1)), "act.profiles_large"),
        ],
    )
    def test_that_is_none_is_refused(self, data: bytes, code: str) -> None:
        with pytest.raises(Refusal) as refused:
            read_bundle(data)
        assert refused.value.code == code
