"""A console that others reach stands behind TLS."""

from pathlib import Path
from unittest import mock

import msgspec
import pytest
from aiohttp import web

from console.app.server import load_console_settings
from hallserver.app.settings import HallSettings
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.settings import SettingsError
from qingting.kernel.web.sessions import Sessions, SessionStore


def given(**settings: str) -> dict[str, str]:
    return {f"QINGTING_{name.upper()}": value for name, value in settings.items()}


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::", "city.example"])
def test_plain_http_for_other_machines_is_refused(host: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_console_settings(None, given(host=host))
    assert [one for one in refused.value.faults if one.startswith("host")]
    behind = load_console_settings(None, given(host=host, secure_cookies="true"))
    assert behind.host == host


def test_nothing_listens_for_other_machines_before_somebody_says_so(tmp_path: Path) -> None:
    assert load_console_settings(None, given(data=str(tmp_path))).host == "127.0.0.1"
    (host,) = [one.default for one in msgspec.structs.fields(HallSettings) if one.name == "host"]
    assert host == "127.0.0.1"


async def test_a_console_behind_tls_gives_its_cookie_to_https_alone() -> None:
    for secure in (True, False):
        answer = web.Response()
        store = mock.AsyncMock(spec=SessionStore)
        await Sessions(store, ManualClock(), secure=secure).start(answer, "account")
        assert bool(answer.cookies["qt_session"]["secure"]) is secure


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_may_speak_plainly(host: str, tmp_path: Path) -> None:
    assert load_console_settings(None, given(host=host, data=str(tmp_path))).host == host
