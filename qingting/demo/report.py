"""What ``qingting demo`` tells: where everything is and how to get in, for people or for programs."""

import sys

import msgspec

from qingting.contract.states import DeviceKind
from qingting.demo.cast import Person, Screen

SHOWN_PER_KIND = 3
"""Screens of one kind that are printed for a hall; the rest can be paired on the manager's page."""
_KINDS = {
    DeviceKind.KIOSK: "取号机 kiosk",
    DeviceKind.BOARD: "显示屏 board",
    DeviceKind.CALL_PAD: "呼叫平板 call pad",
    DeviceKind.RATING_PAD: "评价平板 rating pad",
}


class HallReport(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    url: str
    manage: str
    manager: Person
    clerks: tuple[Person, ...]
    screens: tuple[Screen, ...]


class DemoReport(msgspec.Struct, frozen=True, kw_only=True):
    """``password`` is None when the administrator has set one in an earlier run."""

    console: str
    user: str
    password: str | None
    simulators: str
    halls: list[HallReport]
    pids: dict[str, int]
    python: str


def print_report(report: DemoReport, *, as_json: bool) -> None:
    """Writes to stdout, as one JSON line or as a page for people."""
    text = msgspec.json.encode(report).decode() if as_json else "\n".join(_page(report))
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _page(report: DemoReport) -> list[str]:
    first = report.password or "(您上次设置的密码 / the one you set)"
    lines = [
        "",
        "庆厅演示已就绪 · Qingting is running (Ctrl+C 结束 / to stop)",
        "",
        f"  城市平台 city console     {report.console}",
        f"    账号 user {report.user}   一次性密码 one-time password  {first}",
        f"  模拟设备 simulated devices  {report.simulators}",
        "    放身份证、缺纸、开盖、扫码、看打出的号票 / cards, paper, cover, codes, printed tickets",
    ]
    for hall in report.halls:
        lines += _hall(hall)
    return [*lines, ""]


def _hall(hall: HallReport) -> list[str]:
    lines = [
        "",
        f"  {hall.name}  {hall.url}",
        f"    大厅管理 manager          {hall.manage}",
        f"      工号 number {hall.manager.number}   一次性密码 one-time password  {hall.manager.password}",
    ]
    for kind, title in _KINDS.items():
        screens = [one for one in hall.screens if one.kind is kind]
        lines += [f"    {title:24}{one.name:12}  {one.url}" for one in screens[:SHOWN_PER_KIND]]
    lines.append("    呼叫平板登录 call pad logins:")
    lines += [
        f"      {one.number} {one.name}  {one.password}" for one in hall.clerks[:SHOWN_PER_KIND]
    ]
    return lines
