"""Cards for the simulated reader: the 256-byte text record of four kinds of card (GA/T 490).

All people here are invented; their names say so. Numbers carry a valid check digit (GB 11643) unless
the card is there to show a wrong one.
"""

import hashlib
from enum import StrEnum

import msgspec

RECORD_BYTES = 256
PHOTO_BYTES = 1024
EXTRA_BYTES = 70
LONG_TERM = "长期"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


class CardKind(StrEnum):
    """Type letter at offset 248 of the record; a blank stands for the resident ID card."""

    CITIZEN = " "
    RESIDENCE_PERMIT = "J"
    FOREIGNER_2017 = "I"
    FOREIGNER_2023 = "Y"


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One card. Dates are ``YYYYMMDD``; ``sex`` and ``nation`` are the codes of GB/T 2261.1 and 3304.

    ``nation`` holds the nationality (GB/T 2659) on a foreigner's card. ``readable`` False: the chip
    answers but its content cannot be read. ``title`` and ``title_en`` name it on the control page.
    """

    id: str
    title: str
    title_en: str
    kind: CardKind = CardKind.CITIZEN
    name: str
    name_en: str = ""
    sex: str = "1"
    nation: str = "01"
    birth: str
    address: str = ""
    number: str
    issuer: str = ""
    valid_from: str = "20190501"
    valid_to: str = "20390501"
    travel_permit: str = ""
    extra_address: str = ""
    readable: bool = True


def check_digit(first17: str) -> str:
    """The 18th character of a citizen number (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first17, strict=True))
    return _CHECKS[total % 11]


def _common(card: Card) -> list[tuple[int, int, str]]:
    return [
        (0, 30, card.name),
        (30, 2, card.sex),
        (36, 16, card.birth),
        (122, 36, card.number),
        (188, 16, card.valid_from),
        (204, 16, card.valid_to),
    ]


def _fields(card: Card) -> list[tuple[int, int, str]]:
    """Offset, length in bytes and text of each field."""
    match card.kind:
        case CardKind.CITIZEN | CardKind.RESIDENCE_PERMIT:
            own = [(52, 70, card.address), (158, 30, card.issuer)]
            if card.kind is CardKind.CITIZEN:
                return [*_common(card), *own, (32, 4, card.nation)]
            return [*_common(card), *own, (220, 18, card.travel_permit), (238, 4, "01")]
        case CardKind.FOREIGNER_2023:
            first, rest = card.name_en[:35], card.name_en[35:]
            own = [(32, 4, "01"), (52, 70, first), (220, 22, rest), (242, 6, card.nation)]
            return [*_common(card), *own]
        case CardKind.FOREIGNER_2017:
            return [
                (0, 120, card.name_en),
                (120, 2, card.sex),
                (122, 30, card.number),
                (152, 6, card.nation),
                (158, 30, card.name),
                (188, 16, card.valid_from),
                (204, 16, card.valid_to),
                (220, 16, card.birth),
                (236, 4, "01"),
                (240, 8, "1500"),
            ]


def text_record(card: Card) -> bytes:
    """The record as the reader gives it: UTF-16LE, fields at fixed places, filled with blanks.

    Raises ValueError when a text is longer than its field.
    """
    record = bytearray(" ".encode("utf-16-le") * (RECORD_BYTES // 2))
    for offset, length, text in [*_fields(card), (248, 2, card.kind.value)]:
        raw = text.encode("utf-16-le")
        if len(raw) > length:
            raise ValueError(
                f"card {card.id}: field at {offset} takes {length} bytes, not {len(raw)}"
            )
        record[offset : offset + len(raw)] = raw
    return bytes(record)


def photo(card: Card) -> bytes:
    """1024 bytes in place of the encoded portrait, the same for a card each time, of nobody."""
    seed = hashlib.sha256(card.id.encode()).digest()
    return b"".join(hashlib.sha256(seed + bytes([i])).digest() for i in range(PHOTO_BYTES // 32))


def extra_address(card: Card) -> bytes:
    """The appended address (追加住址), 70 bytes, or nothing."""
    return (
        card.extra_address.ljust(EXTRA_BYTES // 2).encode("utf-16-le")
        if card.extra_address
        else b""
    )


def _made(first17: str) -> str:
    return first17 + check_digit(first17)


_DAQING = "大庆市公安局示例分局"

DEMO_CARDS: dict[str, Card] = {
    card.id: card
    for card in (
        Card(
            id="citizen",
            title="居民身份证 · 张示例",
            title_en="Resident ID · Zhang Shili",
            name="张示例",
            birth="19900101",
            address="黑龙江省大庆市萨尔图区示例街道样本小区1号楼",
            number="230602199001011238",
            issuer=_DAQING,
        ),
        Card(
            id="woman",
            title="居民身份证 · 李样本(蒙古族)",
            title_en="Resident ID · Li Yangben (Mongol)",
            name="李样本",
            sex="2",
            nation="02",
            birth="19850615",
            address="黑龙江省杜尔伯特蒙古族自治县示例镇样本路6号",
            number="230624198506150026",
            issuer=_DAQING,
            extra_address="黑龙江省大庆市让胡路区示例街道样本路66号",
        ),
        Card(
            id="elder",
            title="居民身份证 · 王演示(长期)",
            title_en="Resident ID · Wang Yanshi (no expiry)",
            name="王演示",
            birth="19521231",
            address="黑龙江省大庆市让胡路区示例街道样本胡同3号",
            number="230604195212311016",
            issuer=_DAQING,
            valid_from="20060301",
            valid_to=LONG_TERM,
        ),
        Card(
            id="rare_name",
            title="居民身份证 · 刘𬭎样(生僻字)",
            title_en="Resident ID · rare character in the name",
            name="刘𬭎样",
            birth="20000229",
            address="黑龙江省大庆市龙凤区示例街道样本小区2号楼",
            number=_made("23060320000229003"),
            issuer=_DAQING,
        ),
        Card(
            id="residence_permit",
            title="港澳台居民居住证 · 陈示范",
            title_en="Residence permit (HK) · Chen Shifan",
            kind=CardKind.RESIDENCE_PERMIT,
            name="陈示范",
            sex="2",
            birth="19880312",
            address="黑龙江省大庆市萨尔图区示例街道样本小区5号楼",
            number=_made("81000019880312002"),
            issuer=_DAQING,
            travel_permit="H00000000",
        ),
        Card(
            id="foreigner_2017",
            title="外国人永久居留证(2017版) · 样本",
            title_en="Foreign permanent resident, 2017 card",
            kind=CardKind.FOREIGNER_2017,
            name="样本先生",
            name_en="SAMPLE, PERSON INVENTED",
            birth="19810423",
            nation="CAN",
            number="CAN230081042301",
        ),
        Card(
            id="foreigner_2023",
            title="外国人永久居留身份证(2023版) · 样本",
            title_en="Foreign permanent resident, 2023 card",
            kind=CardKind.FOREIGNER_2023,
            name="样本女士",
            name_en="INVENTED, DEMONSTRATION PERSON OF NO COUNTRY",
            sex="2",
            birth="19810804",
            nation="FRA",
            number=_made("92325019810804002"),
            valid_from="20240115",
            valid_to="20340115",
        ),
        Card(
            id="expired",
            title="过期的身份证 · 赵过期",
            title_en="Expired card · Zhao Guoqi",
            name="赵过期",
            birth="19750505",
            address="黑龙江省大庆市红岗区示例街道样本路9号",
            number=_made("23060519750505003"),
            issuer=_DAQING,
            valid_from="20050101",
            valid_to="20250101",
        ),
        Card(
            id="bad_check_digit",
            title="校验位错误 · 孙错码",
            title_en="Wrong check digit · Sun Cuoma",
            name="孙错码",
            birth="19900101",
            address="黑龙江省大庆市萨尔图区示例街道样本小区4号楼",
            number="230602199001011232",
            issuer=_DAQING,
        ),
        Card(
            id="unreadable",
            title="读不出的卡(芯片损坏)",
            title_en="Unreadable card (broken chip)",
            name="周损坏",
            birth="19930709",
            number=_made("23060619930709001"),
            readable=False,
        ),
    )
}
"""Ready cards for the control page and for tests, by id."""
