"""A console that others reach stands behind TLS."""

from pathlib import Path

import pytest

from console.app.server import load_console_settings
from qingting.kernel.settings import SettingsError


def given(**settings: str) -> dict[str, str]:
    return {f"QINGTING_{name.upper()}": value for name, value in settings.items()}


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::", "city.example"])
def test_plain_http_for_other_machines_is_refused(host: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_console_settings(None, given(host=host))
    assert [one for one in refused.value.faults if one.startswith("host")]
    behind = load_console_settings(None, given(host=host, secure_cookies="true"))
    assert behind.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_may_speak_plainly(host: str, tmp_path: Path) -> None:
    assert load_console_settings(None, given(host=host, data=str(tmp_path))).host == host
