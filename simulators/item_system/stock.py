"""Invented service items of Daqing: thirteen departments, what they handle, and how often it is repeated by districts.

Codes have the shape of real ones (credit code with a fitting check character, level, basic code); the bodies are invented.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
DISTRICTS = (
    ("230602", "萨尔图区"), ("230603", "龙凤区"), ("230604", "让胡路区"), ("230605", "红岗区"), ("230606", "大同区"),
    ("230621", "肇州县"), ("230622", "肇源县"), ("230623", "林甸县"), ("230624", "杜尔伯特蒙古族自治县"),
)  # fmt: skip


class Office(NamedTuple):
    """A department: two digits of its basic codes, its name, the theme of its items, what they are based on, and what
    it handles."""

    digits: str
    name: str
    theme: str
    law: str
    subjects: tuple[str, ...]


OFFICES = (
    Office("11", "公安局", "户籍办理", "《中华人民共和国户口登记条例》",
           ("居民户口簿", "居住证", "普通护照", "往来港澳通行证", "机动车登记证书", "机动车驾驶证", "爆破作业单位许可证")),
    Office("12", "人力资源和社会保障局", "社会保障", "《中华人民共和国社会保险法》",
           ("社会保障卡", "灵活就业参保登记", "失业保险金", "工伤认定", "职业技能等级证书", "人力资源服务许可证", "就业困难人员认定")),
    Office("13", "医疗保障局", "医疗卫生", "《医疗保障基金使用监督管理条例》",
           ("城乡居民医保参保登记", "异地就医备案", "门诊慢特病认定", "生育津贴", "医疗救助", "定点医药机构协议")),
    Office("14", "自然资源局", "规划建设", "《中华人民共和国土地管理法》",
           ("建设用地规划许可证", "建设工程规划许可证", "不动产首次登记", "不动产转移登记", "不动产抵押登记", "采矿许可证", "临时用地")),
    Office("15", "住房公积金管理中心", "住房保障", "《住房公积金管理条例》",
           ("公积金账户", "公积金提取", "公积金贷款", "公积金转移接续", "单位缴存登记")),
    Office("16", "市场监督管理局", "准营准办", "《中华人民共和国食品安全法》",
           ("营业执照", "食品经营许可证", "食品生产许可证", "药品经营许可证", "特种设备使用登记", "计量标准考核", "医疗器械经营备案")),
    Office("17", "交通运输局", "交通出行", "《中华人民共和国道路运输条例》",
           ("道路运输经营许可证", "道路货物运输从业资格证", "网络预约出租汽车运输证", "超限运输通行证", "公路涉路施工", "机动车维修备案")),
    Office("18", "卫生健康委员会", "医疗卫生", "《医疗机构管理条例》",
           ("医疗机构执业许可证", "医师执业注册", "护士执业注册", "公共场所卫生许可证", "放射诊疗许可证", "再生育登记", "母婴保健技术服务许可证")),
    Office("19", "发展和改革委员会", "设立变更", "《企业投资项目核准和备案管理条例》",
           ("企业投资项目备案", "企业投资项目核准", "固定资产投资项目节能审查", "招标方案核准", "粮食收购备案")),
    Office("20", "应急管理局", "公共安全", "《危险化学品安全管理条例》",
           ("危险化学品经营许可证", "危险化学品安全使用许可证", "烟花爆竹经营许可证", "非煤矿矿山企业安全生产许可证", "特种作业操作证", "应急预案备案")),
    Office("21", "城市管理综合执法局", "环保绿化", "《城市市容和环境卫生管理条例》",
           ("临时占道", "户外广告设置", "城市建筑垃圾处置", "临时性建筑物搭建", "城市树木移植")),
    Office("22", "人民防空办公室", "规划建设", "《中华人民共和国人民防空法》",
           ("应建防空地下室项目", "人防工程平时使用登记", "人防工程拆除", "人防工程竣工备案")),
    Office("23", "公证处", "司法公证", "《中华人民共和国公证法》",
           ("继承公证", "委托公证", "遗嘱公证", "学历公证", "婚姻状况公证", "赠与公证")),
)  # fmt: skip
ACTS = ("申请", "变更", "延续", "补办", "注销")
_MATERIALS = (
    "申请表",
    "身份证",
    "营业执照",
    "授权委托书",
    "原证件",
    "证明材料",
    "近期照片",
    "安全承诺书",
)
_STEPS = ("申请", "受理", "审查", "决定", "送达")


def credit_code(digits: str, division: str) -> str:
    """An invented credit code of a department of a division, with a check character that fits."""
    body = f"11{division}MB9{digits}0000"[:17].ljust(17, "0")
    total = sum(_USCC.index(one) * weight for one, weight in zip(body, _WEIGHTS, strict=True))
    return body + _USCC[(31 - total % 31) % 31]


def _row(place: int, office: Office, number: int, subject: str, act: str) -> dict[str, Any]:
    """One item of the city. ``place`` makes what varies vary, the same at every start."""
    kind = "07" if act in ("补办", "注销") else "01" if "证" in subject else "20"
    days = (20, 15, 10, 7, 5)[place % 5]
    return {
        "taskCode": f"{credit_code(office.digits, '230600')}3{kind}0{office.digits}{number:03d}{ACTS.index(act):03d}0",
        "taskVersion": 1,
        "modifiedAt": "2026-01-05T09:00:00+08:00",
        "taskState": "1",
        "effectDate": f"2025-{place % 12 + 1:02d}-01",
        "cancelDate": "",
        "taskName": f"{subject}{act}",
        "taskType": kind,
        "useLevel": "3",
        "areaCode": "230600",
        "deptName": f"大庆市{office.name}",
        "serveType": ("1", "2", "1,2")[place % 3],
        "projectType": "1" if days == 5 else "2",
        "handleForm": ["1", "2"] if place % 4 else ["1", "2", "3", "5"],
        "themes": [office.theme],
        "byLaw": office.law,
        "materials": [
            {"name": f"{subject}{act}申请表", "copies": 1},
            *({"name": _MATERIALS[(place + n) % len(_MATERIALS)], "copies": 1} for n in (1, 4)),
        ],
        "handleFlow": [*_STEPS],
        "lawLimit": days,
        "lawLimitUnit": "1",
        "promiseLimit": max(1, days // 2),
        "promiseLimitUnit": "1",
        "fee": "工本费 20 元" if act == "补办" else "",
    }


def city_items() -> list[dict[str, Any]]:
    """What the city itself handles: some four hundred items."""
    found, place = [], 0
    for office in OFFICES:
        for number, subject in enumerate(office.subjects, start=1):
            for act in ACTS:
                found.append(_row(place, office, number, subject, act))
                place += 1
    return found


def many_items(count: int) -> list[dict[str, Any]]:
    """``count`` items: the city's, then the same in each district, and again as handling items (33 characters)."""
    found = city_items()
    for row in _elsewhere(found[:]):
        if len(found) >= count:
            break
        found.append(row)
    return found[:count]


def _elsewhere(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for round_no in range(100):
        for division, name in DISTRICTS:
            for row in rows:
                code = str(row["taskCode"])
                digits = code[12:14]
                local = f"{credit_code(digits, division)}4{code[19:]}"
                end = f"{round_no:02d}" if round_no else ""
                yield {
                    **row,
                    "taskCode": local + end,
                    "areaCode": division,
                    "useLevel": "4",
                    "deptName": str(row["deptName"]).replace("大庆市", name),
                    "taskName": str(row["taskName"]) + (f"（情形{round_no}）" if round_no else ""),
                }
