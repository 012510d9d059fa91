"""No detail of the audit reaches its page in code words: every act that is written is known to have none, one of plain
words, or one that is put in words."""

import json
import re

import msgspec
import pytest
from test_audit_details import KNOWN, said
from test_audit_words import ROOT, written

from console.modules.alarms.receivers import Receiver
from console.modules.alarms.rules import BUILT_IN
from console.modules.gateway.service import WebhookAct
from console.modules.privacy.audit_details import PLAIN, READERS
from console.modules.privacy.audit_words import COUNTED, GIVEN, NAMED, OF_JOBS
from qingting.contract.states import Language

BY_FORM = {"backup.made", "hall.directive", "role.put", *COUNTED, *GIVEN, *NAMED, *OF_JOBS}
"""Read by :mod:`console.modules.privacy.audit_words` itself."""
WITHOUT = {
    *("account.enabled", "account.password_changed", "account.password_renewed"),
    *("appointment.booked", "appointment.unlisted", "backup.drill", "backup.dropped"),
    *("backup.restore", "calendar.day_dropped", "catalogue.draft_dropped"),
    *("catalogue.material_put", "catalogue.sync_keep", "catalogue.sync_start"),
    *("catalogue.sync_stop", "catalogue.sync_withdraw", "catalogue.theme_dropped"),
    *("citizen.forgotten", "citizen.login", "citizen.registered", "config.draft_drop"),
    *("department.drop", "device.act_file", "erasure.completed", "factor.codes"),
    *("factor.dropped", "factor.recovery", "factor.reset", "factor.set", "hall.enrol"),
    *("integrator.disabled", "integrator.enabled", "integrator.secret_renewed"),
    *("integrator.secret_replaced", "key.added", "key.removed", "login.first", "login.second"),
    *("login.sso", "logout.sso", "notice.topic", "photo.drop", "role.dropped"),
    *("scan.confirmed", "scan.refused", "session.ended", "sso.bound", "sso.unbound"),
    *("wall.token_made", "wall.token_revoked"),
}
STEPS = [
    key.removeprefix("rollout.step.")
    for key in json.loads((ROOT / "console/modules/rollouts/locale/zh-CN.json").read_text("utf-8"))
    if key.startswith("rollout.step.")
]
PUT_TOGETHER = {
    *(
        "alarm.acknowledged",
        "alarm.cleared",
        "audit.export",
        "appointment.listed_black",
        "appointment.listed_white",
    ),
    *("hall.fork_accept", "hall.fork_reject", "personal.limit", "personal.unusual"),
    *(f"{kind}.{act}" for kind in ("division", "department", "staff") for act in ("add", "change")),
    *(f"rollout.{step}" for step in STEPS),
    *(f"webhook.{one.value}" for one in WebhookAct),
}
"""Acts whose names are put together as the program runs."""
RULE = BUILT_IN[0]
RECEIVER = Receiver(id="duty", name="值班", quiet_from="22:00", quiet_until="07:00")
COUNTS = '{"appointments":1,"citizens":1,"citizens.kept":1,"halls":3,"requests":0}'
SAMPLES = {
    "account.disabled": "unused 90",
    "alarm.receiver": f"2 mails=1 webhook=0 {msgspec.json.encode(RECEIVER).decode()}",
    "alarm.rule": f"3 {msgspec.json.encode(RULE).decode()}",
    "appointment.cancelled": "hall_closed",
    "appointment.rule_put": "4",
    "audit.export": "12 xlsx audit",
    "backup.exchange": "before=qingting_1",
    "calendar.day_put": "rest",
    "catalogue.draft_put": "sheet",
    "catalogue.flags_put": "bookable=True on_site=False",
    "catalogue.four_eyes_put": "off",
    "catalogue.published": "3 2026-12-01",
    "catalogue.sync_decide": "department=theirs name=ours",
    "catalogue.sync_rules": "trusted=new,place withdrawn=5%",
    "catalogue.theme_moved": "2",
    "config.draft": "revision 3 items",
    "config.publish": "version 4 directive 12",
    "config.withdraw": "version 4 directive 12",
    "device.act": "c-abc screen.off",
    "devices.export": "7 csv state=lost&kind=printer",
    "export.asked": "appointments 30 service: 电话通知",
    "export.fetched": "appointments 30",
    "hall.fork_accept": "city 1/23 hall 2/45",
    "hall.fork_reject": "city 1/23 hall 2/45",
    "integrator.made": "halls.read region:230602 60/min 5000/day networks=1",
    "integrator.put": "halls.read region:230600 60/min 5000/day networks=0",
    "list.export": "12 xlsx accounts",
    "maintenance.begun": "3 1795395600000-1795399200000 换打印头",
    "maintenance.ended": "3",
    "network.opened": "2",
    "notice.parked_dropped": "3",
    "notice.parked_sent": "3",
    "notice.rules": "version 2",
    "notice.tried": "138****1234 2",
    "notice.wording": "version 3",
    "personal.alarm_acked": "7 已问本人",
    "personal.shown": "service: 电话通知补材料",
    "profiles.put": "3 files",
    "release.put": "kiosk 1.2 0123",
    "request.completed": f"erase {COUNTS}",
    "request.done": f"erase {COUNTS}",
    "request.received": "erase",
    "request.refused": "copy {}",
}
"""What the program writes, by act."""
NAMES = {"c-abc", "qingting_1", "halls.read", "duty", "Excel", "CSV", "Hall", "offline"}
"""Words in the samples that are names, in any language."""


def acts() -> set[str]:
    return {one for one in written() if not one.endswith("_")} | PUT_TOGETHER


def test_every_act_says_how_its_detail_is_read() -> None:
    known = BY_FORM | WITHOUT | PLAIN | set(READERS) | {f"rollout.{step}" for step in STEPS}
    unread = sorted(acts() - known)
    assert unread == [], "put their details in words, or among the plain ones"
    assert sorted((PLAIN | set(READERS)) - acts()) == [], "nobody writes these"


def test_every_act_whose_name_is_put_together_has_words_too() -> None:
    assert [act for act in sorted(PUT_TOGETHER) if not KNOWN.has(f"audited.{act}")] == []


@pytest.mark.parametrize("act", sorted(READERS))
def test_no_code_word_is_left_in_a_detail(act: str) -> None:
    told = said(act, SAMPLES[act])
    assert told != SAMPLES[act]
    left = set(re.findall(r"[A-Za-z][A-Za-z_.0-9-]*", told)) - NAMES
    assert not left, told
    assert "=" not in told
    assert said(act, SAMPLES[act], Language.EN) != told


def test_a_step_of_a_rollout_is_told_with_its_batch_and_with_why_it_failed() -> None:
    assert said("rollout.wave", "1") == "第 2 批"
    assert said("rollout.failed", "config.none").startswith("大厅还没有配置")
    assert said("rollout.halted", "gone") == "换用后设备失联超过一分钟。"


def test_a_save_of_a_draft_says_what_was_saved() -> None:
    assert said("config.draft", "revision 5 #3") == "第 5 次保存，回到第 3 次保存"
    assert said("config.draft", "revision 5 merge") == "第 5 次保存，接到现用版本上"
    assert said("config.draft", "revision 5 对照事项库") == "第 5 次保存，对照事项库"


def test_the_list_of_a_page_is_told_by_its_caption_and_address() -> None:
    assert said("list.export", "12 xlsx /accounts/unused 长期未用的账号") == (
        "12 条，Excel，长期未用的账号 /accounts/unused"
    )


def test_a_detail_of_a_form_that_nobody_knows_any_more_stays_as_it_was_written() -> None:
    for act in READERS:
        assert said(act, "?! {") == "?! {", act
