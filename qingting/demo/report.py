"""What ``qingting demo`` tells: where everything is and how to get in, for people or for programs."""

import sys
from collections.abc import Iterable

import msgspec

from hallserver.engine.days import hall_time
from qingting.contract.config import HallConfig
from qingting.contract.states import DeviceKind
from qingting.demo.bookings import SampleBooking, Standing
from qingting.demo.cast import Person, Screen
from simulators.id_cards import DEMO_CARDS

ELDER = "elder"
SHOWN_PER_KIND = 3
"""Screens of one kind that are printed for a hall; the rest can be paired on the manager's page."""
_KINDS = {
    DeviceKind.KIOSK: "取号机 kiosk",
    DeviceKind.BOARD: "显示屏 board",
    DeviceKind.CALL_PAD: "呼叫平板 call pad",
    DeviceKind.RATING_PAD: "评价平板 rating pad",
}


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """Something to try with a simulated card. ``code`` can be scanned instead of the card; empty: none."""

    card: str
    title: str
    title_en: str
    words: str
    words_en: str
    code: str = ""


class HallReport(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    url: str
    manage: str
    manager: Person
    clerks: tuple[Person, ...]
    screens: tuple[Screen, ...]
    tries: tuple[Try, ...]


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """An account of the city with its one-time password."""

    user: str
    password: str


class DemoReport(msgspec.Struct, frozen=True, kw_only=True):
    """``password`` is None when the administrator has set one in an earlier run; ``others`` are the two other
    administrators, under the same condition. ``identity_provider`` is the control page of simulated single sign-on,
    ``item_system`` that of the simulated item system."""

    console: str
    user: str
    password: str | None
    others: list[Login]
    simulators: str
    identity_provider: str
    item_system: str
    halls: list[HallReport]
    pids: dict[str, int]
    python: str


_BOOKED = {
    Standing.DUE: ("{time} 有预约：{items}，放卡或扫码即可取号", "booked {items} at {time}"),
    Standing.EARLY: (
        "{time} 有预约：{items}，现在来还太早",
        "booked {items} at {time}: would be too early now",
    ),
    Standing.LATE: (
        "{time} 有预约：{items}，已过时间，转为普通排队",
        "booked {items} at {time}: is late and waits like everybody",
    ),
    Standing.ARRIVED: ("{time} 的预约已经取号：{items}", "has come for {items}, booked at {time}"),
}


def tries(config: HallConfig, bookings: Iterable[SampleBooking]) -> tuple[Try, ...]:
    """What the cards at the simulated reader are good for in this hall."""
    items = {item.id: item for item in config.items}
    found = []
    for one in bookings:
        booking, (words, words_en) = one.booking, _BOOKED[one.standing]
        time = hall_time(booking.start, config).strftime("%H:%M")
        zh = "、".join(items[item].name for item in booking.items)
        en = ", ".join(items[item].name_en for item in booking.items)
        found.append(
            Try(
                card=one.card.id,
                title=one.card.title,
                title_en=one.card.title_en,
                words=words.format(time=time, items=zh),
                words_en=words_en.format(time=time, items=en),
                code=booking.code,
            )
        )
    elder = DEMO_CARDS[ELDER]
    return (
        *found,
        Try(
            card=elder.id,
            title=elder.title,
            title_en=elder.title_en,
            words="65 岁以上，取号时自动列入“老年人”优先",
            words_en="is over 65 and queues as elderly without asking",
        ),
    )


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
        *(
            f"    账号 user {one.user}   一次性密码 one-time password  {one.password}"
            for one in report.others
        ),
        f"  模拟设备 simulated devices  {report.simulators}",
        "    放身份证、缺纸、开盖、扫码、看号票和群众收到的短信 / cards, paper, codes, tickets, citizens' SMS",
        f"  群众网页 citizens' pages   {report.console}c   点“登录”选一位示例市民 / log in as any sample citizen",
        f"  模拟统一身份认证 simulated single sign-on  {report.identity_provider}",
        f"  模拟事项管理系统 simulated item system  {report.item_system}",
    ]
    lines += [
        "    演示大厅从今天起 7 天全天可取号（12:00 前后有午休，午休照常取号），之后按周一至周五 8:30–17:00",
        "    halls give numbers at any hour for 7 days from today, lunch included; then Monday to Friday",
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
    lines.append("    试一试，在模拟读卡器上放这些卡 try these cards at the simulated reader:")
    for one in hall.tries:
        lines.append(f"      {one.title}：{one.words}")
        lines.append(f"        {one.title_en}: {one.words_en}")
        if one.code:
            lines.append(f"        预约码（可扫） booking code to scan  {one.code}")
    return lines
