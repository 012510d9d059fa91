"""Somebody is called once when the city is not well, and hears when it is again: availability of a part, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from console.core.channels import Message
from console.modules.upkeep.api import Health, HealthState
from console.modules.upkeep.telling import SETTLED_MS, Word, calls, message, words
from qingting.contract.conditions import Severity

HOUR_MS = 3_600_000
NOW = 1_795_395_600_000


@dataclass(frozen=True)
class Post:
    """A channel that nothing is sent through here."""

    name: str
    least: Severity = Severity.WARNING
    carries_all: bool = True

    async def send(self, message: Message) -> None:
        raise AssertionError(message)

    def addressed(self, name: str, address: Sequence[str]) -> "Post":
        return replace(self, name=name)


MAIL, HOOK = Post("mail:duty"), Post("webhook:desk")
HEARERS = {one.name: one for one in (MAIL, HOOK)}
LATE = Health(
    name="backup",
    state=HealthState.CAUTION,
    says="health.backup.says",
    params={"hours": 30},
    todo="health.backup.todo",
    since=NOW,
)
WELL = replace(LATE, state=HealthState.OK, params={"hours": 1}, todo="")


def told(part: Health, knows: Sequence[str]) -> list[tuple[str, bool]]:
    found = words([part], {"backup": knows}, HEARERS, NOW)
    return [(one.channel.name, one.over) for one in found]


def test_a_late_backup_is_told_once_to_each_and_so_is_its_end() -> None:
    assert told(WELL, []) == []
    assert told(LATE, []) == [("mail:duty", False), ("webhook:desk", False)]
    assert told(LATE, ["mail:duty"]) == [("webhook:desk", False)], "one that failed is tried again"
    assert told(LATE, ["mail:duty", "webhook:desk"]) == []
    assert told(WELL, ["mail:duty"]) == [("mail:duty", True)], "who heard of it hears of its end"


@pytest.mark.parametrize("says", ["health.backup.off", "health.backup.never"])
def test_a_backup_that_was_never_made_calls_after_a_day(says: str) -> None:
    never = replace(LATE, state=HealthState.FAULT, says=says, params={})
    assert not calls(never, NOW + HOUR_MS), (
        "a city that was set up this morning has its first night before it"
    )
    assert calls(never, NOW + 27 * HOUR_MS)


def test_other_parts_call_when_their_fault_lasts_and_lines_of_halls_do_not() -> None:
    disk = replace(LATE, name="disk", state=HealthState.FAULT)
    assert not calls(disk, NOW + SETTLED_MS - 1)
    assert calls(disk, NOW + SETTLED_MS)
    assert not calls(replace(disk, state=HealthState.CAUTION), NOW + SETTLED_MS)
    assert not calls(replace(disk, name="halls"), NOW + SETTLED_MS), (
        "those have alarms of their own"
    )


def test_the_message_says_what_is_wrong_and_what_to_do_in_both_languages() -> None:
    said = message(Word(LATE, MAIL, False), NOW)
    assert "备份" in said.title
    assert "30 小时前" in said.text
    assert "马上做一次备份" in said.text
    assert "30 hours ago" in said.text or "30" in said.text.splitlines()[1]
    over = message(Word(WELL, MAIL, True), NOW)
    assert "恢复正常" in over.text
    assert (said.id != over.id, over.act) == (True, "cleared")
