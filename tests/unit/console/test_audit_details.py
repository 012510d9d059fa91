"""Details of the audit are told in words where they count or set something."""

from functools import partial
from typing import get_args

import msgspec
import pytest

from console.app.modules import PAGE_PACKAGES
from console.core.audit import AuditEntry
from console.modules.identity.policy import Policy
from console.modules.privacy.audit_words import told
from console.modules.privacy.policy import PrivacyPolicy
from qingting.contract.directives import Directive
from qingting.contract.states import Language
from qingting.kernel.i18n import Catalogue

KNOWN = Catalogue.load("qingting.web.pages", *PAGE_PACKAGES)


def said(act: str, detail: str, language: Language = Language.ZH) -> str:
    entry = AuditEntry(
        no=1, at=0, actor="a", address="", act=act, object="", result="done", detail=detail,
        previous="", hash="",
    )  # fmt: skip
    return told(entry, partial(KNOWN.text, language), KNOWN.has, language)


def test_what_a_listing_brought_is_told_by_name_and_what_was_nothing_is_left_out() -> None:
    assert said("catalogue.sync", "bad=0 new=474 same=3") == "新增：474，不变：3"
    assert said("catalogue.sync", "bad=0 new=474", Language.EN).endswith(": 474")


@pytest.mark.parametrize(
    ("act", "of"), [("policy.set", Policy()), ("privacy.policy", PrivacyPolicy())]
)
def test_every_rule_that_was_set_is_told_by_name(act: str, of: Policy | PrivacyPolicy) -> None:
    values = msgspec.structs.asdict(of) | {"version": 7}
    if "factor_for" in values:
        values["factor_for"] = ""
    for language in Language:
        words = said(act, " ".join(f"{name}={value}" for name, value in values.items()), language)
        assert "=" not in words
        assert "_" not in words


def test_a_number_of_records_is_said_with_its_unit() -> None:
    assert said("audit.export", "12 xlsx audit") == "12 条，Excel，安全审计"
    assert said("request.copied", "3") == "3 条"


def test_a_role_and_the_fields_of_a_spreadsheet_are_told_in_words() -> None:
    assert said("role.given", "clerk region 230602000000") == "clerk，区划：230602000000"
    assert said("role.withdrawn", "clerk own") == "clerk，仅本人"
    assert said("role.put", "2 - look ratings") == "查看大厅和设备、查看评价"
    assert said("role.given", "clerk nowhere 1") == "clerk nowhere 1"
    assert said("staff.add", "sheet number,name,division") == "表格导入：工号、姓名、所属区划"
    assert said("division.change", "sheet name_en") == "表格导入：英文名称"
    assert said("staff.change", "sheet unheard_of", Language.EN) == "By spreadsheet: unheard_of"


def test_a_backup_a_job_and_what_a_hall_was_sent_are_told_in_words() -> None:
    assert said("backup.made", "399360 bytes, 2865 rows, 0 dropped") == "399 KB，2865 行"
    assert said("backup.made", "8000000 bytes, 9 rows, 2 dropped").endswith("，删掉 2 份旧备份")
    assert said("job.start", "backup.city") == "备份城市平台"
    assert said("job.start", "never.heard_of") == "never.heard_of"
    for kind in get_args(Directive):
        assert kind.__name__ not in said("hall.directive", f"4 {kind.__name__}")
    assert said("hall.directive", "4 PutBooking") == "第 4 条：下发预约"


def test_what_is_of_no_known_form_stays_as_it_was_written() -> None:
    assert said("catalogue.sync", "strange=1") == "strange=1"
    assert said("audit.export", "all of it") == "all of it"
    assert said("hall.enrol", "12 x") == "12 x"
