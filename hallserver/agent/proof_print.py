"""The ticket of a test print (测试号票): which printer this is, which model drives it, and how dark it prints."""

from datetime import UTC, datetime, timedelta

from qingting.contract.config import Device
from qingting.contract.ids import Millis, TicketId
from qingting.contract.printing import (
    Align,
    FeedLines,
    PairLine,
    PrintElement,
    PrintJob,
    QrCode,
    RuleLine,
    TextLine,
)

_SHADES = ("█" * 20, "▓" * 20, "█ " * 10, "▇▆▅▄▃▂▁" * 2)
"""Full black shows dots that a worn head leaves out, the others how evenly it heats."""


def proof_print(
    act: str, device: Device, *, model: str, at: Millis, offset_minutes: int, models: str
) -> PrintJob:
    """``model`` is what the driver says of the printer, ``models`` the profile bundle in force, empty for none."""
    local = datetime.fromtimestamp(at / 1000, UTC) + timedelta(minutes=offset_minutes)
    document: tuple[PrintElement, ...] = (
        TextLine(text="打印测试", align=Align.CENTRE, scale=2, bold=True),
        TextLine(text="Test print · 不是排队号票", align=Align.CENTRE),
        RuleLine(),
        PairLine(label="设备 Device", value=device.name),
        PairLine(label="编号 Id", value=device.id),
        PairLine(label="型号 Model", value=model or "—"),
        PairLine(label="机型 Profile", value=device.profile),
        PairLine(label="配置 Bundle", value=models or "—"),
        PairLine(label="时间 Time", value=f"{local:%Y-%m-%d %H:%M:%S}"),
        RuleLine(),
        *(TextLine(text=shade, align=Align.CENTRE) for shade in _SHADES),
        TextLine(text="永 0123456789 ABC", align=Align.CENTRE),
        TextLine(text="永 0123 AB", align=Align.CENTRE, scale=2),
        FeedLines(lines=1),
        QrCode(data=f"qingting-test:{device.id}:{at}"),
        RuleLine(),
    )
    return PrintJob(
        ticket=TicketId(f"test:{act}"),
        attempt=1,
        printer=device.id,
        issued_at=at,
        document=document,
    )
