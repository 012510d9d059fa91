"""Diagnostics name what a technician needs and no secret."""

from hallserver.agent.diagnostics import diagnostics
from hallserver.agent.machine import MachineSettings
from hallserver.agent.settings import AgentSettings
from qingting.kernel.log_tail import LogTail


def test_no_secret_of_the_settings_is_in_them() -> None:
    settings = AgentSettings(
        hall="ws://user:hunter2@hall.test:1/hub",
        device="k1-agent",
        key="the-agents-key",
        kiosk="k1",
        machine=MachineSettings(volume=("/opt/loud", "--token=t0psecret")),
    )
    text = diagnostics(settings, (), settings.library(), facts={"build": "b7"}).decode()
    for secret in ("hunter2", "the-agents-key", "t0psecret"):
        assert secret not in text
    for fact in ("build: b7", "k1-agent", "/opt/loud", "MiB free", "python: 3"):
        assert fact in text


def test_the_latest_log_lines_are_kept_and_bounded() -> None:
    tail = LogTail(kept=2)
    for number in range(3):
        tail(None, "info", {"event": "device.ready", "level": "info", "n": number, "why": "a\nb"})
    assert [line.split("n=")[1][0] for line in tail.lines()] == ["1", "2"]
    assert not any("\n" in line for line in tail.lines())
