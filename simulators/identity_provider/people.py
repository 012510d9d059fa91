"""Invented people whom the provider knows. Written from ``docs/integrators/single-sign-on.md`` alone."""

from typing import Any

import msgspec

from simulators.id_cards import DEMO_CARDS

USCC = "91230600MA1B2C3D4X"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account at the provider. ``title_en`` names them in English; ``claims`` are what a client is told
    besides ``sub``."""

    id: str
    title: str
    title_en: str
    claims: dict[str, Any]


def staff_user(number: str, name: str = "", name_en: str = "") -> User:
    """A member of staff. Anybody can type a number: the provider does not know who works in the halls."""
    return User(
        id=f"staff-{number}",
        title=f"{name} {number}".strip(),
        title_en=f"{name_en or name} {number}".strip(),
        claims={"staff_number": number, "name": name or number, "preferred_username": number},
    )


def _person(card: str, phone: str, assurance: str, **more: Any) -> User:
    one = DEMO_CARDS[card]
    return User(
        id=f"person-{card}",
        title=one.name,
        title_en=one.title_en.split(" · ")[-1],
        claims={
            "person_kind": "natural",
            "name": one.name,
            "certificate_kind": "resident_id",
            "certificate_number": one.number,
            "phone_number": phone,
            "assurance_level": assurance,
            **more,
        },
    )


def check_letter(first17: str) -> str:
    """The 18th character of a unified social credit code (GB 32100)."""
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(letters.index(one) * pow(3, place, 31) for place, one in enumerate(first17))
    return letters[-total % 31]


FIRM = {"name": "大庆市示例商贸有限公司", "uscc": USCC[:17] + check_letter(USCC[:17])}
OTHER_FIRM = {
    "name": "大庆样例建筑公司",
    "uscc": "91230602MA5E6F7G8" + check_letter("91230602MA5E6F7G8"),
}

STAFF: dict[str, User] = {
    one.id: one
    for one in (
        staff_user("9001", "周安全", "Zhou Anquan"),
        staff_user("9002", "吴督导", "Wu Dudao"),
        staff_user("0101", "郑窗口", "Zheng Chuangkou"),
    )
}
"""Numbers of invented people; a demonstration's clerks begin with their hall's two digits."""


def _agent() -> User:
    one = _person("woman", "13800000103", "face", person_kind="agent", acts_for=[FIRM, OTHER_FIRM])
    return msgspec.structs.replace(
        one,
        id="agent-woman",
        title=f"{one.title}（{FIRM['name']} 经办人）",
        title_en=f"{one.title_en} (agent of two firms)",
    )


def _by_paper(id: str, name: str, kind: str, number: str, phone: str) -> User:  # noqa: A002
    """Somebody without a Chinese identity card; invented, like the number."""
    return User(
        id=id,
        title=name,
        title_en=name,
        claims={
            "person_kind": "natural",
            "name": name,
            "certificate_kind": kind,
            "certificate_number": number,
            "phone_number": phone,
            "assurance_level": "real_name",
        },
    )


CITIZENS: dict[str, User] = {
    one.id: one
    for one in (
        _person("citizen", "13800000101", "real_name"),
        _person("woman", "13800000103", "face"),
        _person("elder", "13800000102", "basic"),
        _person("rare_name", "13800000104", "real_name"),
        _by_paper("person-passport", "SAMPLE ANNA", "passport", "E00000000", "13800000106"),
        _by_paper("person-hk", "陈示例", "hk_macao_permit", "H00000000", "13800000107"),
        _by_paper("person-taiwan", "林示例", "taiwan_permit", "00000000", "13800000108"),
        User(
            id="firm-example",
            title=FIRM["name"],
            title_en="Daqing Example Trading Ltd (firm)",
            claims={
                "person_kind": "legal",
                **FIRM,
                "legal_representative": "孙示例",
                "phone_number": "13800000105",
                "assurance_level": "real_name",
            },
        ),
        _agent(),
    )
}
