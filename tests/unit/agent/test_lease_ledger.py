"""Numbers that a kiosk gives alone: on the disk before they are shown, never twice, never in clear."""

import asyncio
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import pytest
from hypothesis import example
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from hallserver.agent import lease_ledger
from hallserver.agent.lease_ledger import (
    LeaseLedger,
    SavedKit,
    Settled,
    days_owed,
    load_kit,
    save_kit,
)
from hallserver.agent.offline_desk import OfflineDesk
from qingting.contract.continuity import LeasedBlock, OfflineKit, signed_bytes
from qingting.contract.errors import Refusal
from qingting.contract.hub import CardRead, TakeTicket
from qingting.contract.ids import BusinessDay, DepartmentId, DeviceId, ItemId, QueueId
from qingting.contract.states import CertificateKind
from qingting.contract.views import ItemView
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.security.lease_keys import (
    BoxError,
    is_lease_token,
    lease_serial,
    new_lease_token,
    open_box,
    public_half,
    seal_for,
    sign,
)

GA, YB = QueueId("ga"), QueueId("yb")
DAY = BusinessDay("2026-11-24")
MORNING = 1_795_478_400_000
"""2026-11-24 08:00 in China."""
KEY, SECRET = bytes(32), bytes(range(32))
CARD = CardRead(
    device=DeviceId("k1-reader"),
    kind=CertificateKind.RESIDENT_ID,
    name="张小三",
    number="230602199001011238",
    valid_from="20160101",
    valid_to="20360101",
)


def item(name: str, queue: QueueId, *, identity: bool = False) -> ItemView:
    return ItemView(
        id=ItemId(name),
        name=name,
        name_en=name,
        department=DepartmentId("d"),
        queue=queue,
        materials=(),
        promised_days=0,
        legal_basis="",
        needs_identity=identity,
        hot=False,
        pinyin="",
        initials="",
        offered=True,
    )


def kit(numbers: int = 3, used: tuple[int, ...] = ()) -> OfflineKit:
    return OfflineKit(
        day=DAY,
        hall_name="测试大厅",
        hall_name_en="Test hall",
        base_url="http://hall",
        utc_offset_minutes=480,
        key=KEY.hex(),
        seal_key=public_half(SECRET),
        blocks=(
            LeasedBlock(queue=GA, prefix="A", first=9001, last=9000 + numbers, used=used),
            LeasedBlock(queue=YB, prefix="B", first=9001, last=9000 + numbers),
        ),
        items=(item("advice", GA), item("renew", GA, identity=True), item("care", YB)),
    )


async def desk(folder: Path, clock: ManualClock | None = None) -> OfflineDesk:
    made = OfflineDesk(folder, clock or ManualClock(MORNING))
    await made.load()
    return made


async def take(at: OfflineDesk, key: str, **wish: object) -> str:
    given, _, _ = await at.take(TakeTicket(**({"item": "advice"} | wish)), key)  # type: ignore[arg-type]
    return at.number_of(given)


async def refused(at: OfflineDesk, key: str, **wish: object) -> str:
    with pytest.raises(Refusal) as refusal:
        await take(at, key, **wish)
    return refusal.value.code


async def test_numbers_come_from_the_queue_s_own_lease_and_end_with_it(tmp_path: Path) -> None:
    at = await desk(tmp_path)
    await at.keep(kit(2), 0)
    assert [await take(at, f"the-press-{n}") for n in range(2)] == ["A9001", "A9002"]
    assert await take(at, "the-press-b", item="care") == "B9001"
    assert await refused(at, "the-press-9") == "lease.none_left"
    assert (at.left(at.kit(), GA), at.left(at.kit(), YB)) == (0, 1)


async def test_the_same_press_gets_the_same_number_also_after_the_process_was_killed(
    tmp_path: Path,
) -> None:
    at = await desk(tmp_path)
    await at.keep(kit(), 0)
    first = await take(at, "the-press-1")
    again = await desk(tmp_path)
    assert await take(again, "the-press-1") == first
    assert await take(again, "the-press-2") == "A9002"
    assert len(again.owed()) == 2


async def test_numbers_that_the_hall_knows_as_used_are_not_given(tmp_path: Path) -> None:
    at = await desk(tmp_path)
    await at.keep(kit(3, used=(9001, 9002)), 0)
    assert await take(at, "the-press-1") == "A9003"


async def test_without_a_kit_of_today_there_are_no_numbers(tmp_path: Path) -> None:
    clock = ManualClock(MORNING)
    at = await desk(tmp_path, clock)
    assert await refused(at, "the-press-1") == "lease.none"
    await at.keep(kit(), 0)
    await take(at, "the-press-2")
    await clock.advance(24 * 3600)
    assert await refused(at, "the-press-3") == "lease.none"
    assert len(at.owed()) == 1, "yesterday's number is still owed"


async def test_the_hall_s_clock_decides_the_day_and_the_time(tmp_path: Path) -> None:
    at = await desk(tmp_path, ManualClock(MORNING - 24 * 3_600_000))
    await at.keep(kit(), 24 * 3_600_000)
    given, _, _ = await at.take(TakeTicket(item=ItemId("advice")), "the-press-1")
    assert given.ticket.taken_at == MORNING


async def test_nothing_on_the_disk_can_be_read_as_a_person(tmp_path: Path) -> None:
    at = await desk(tmp_path)
    await at.keep(kit(), 0)
    shown = at.read(CARD)
    assert (shown.masked_name, shown.masked_number) == ("张*三", "230602********1238")
    given, _, _ = await at.take(
        TakeTicket(item=ItemId("renew"), identity=shown.token), "the-press-1"
    )
    stored = await asyncio.to_thread(_stored, tmp_path)
    for clear in ("张小三", "张*三", "199001011238", "230602", "\\u5f20"):
        assert clear.encode() not in stored
    assert json.loads(open_box(SECRET, given.ticket.person, context="offline person")) == {
        "kind": "resident_id",
        "name": "张小三",
        "number": "230602199001011238",
    }


def _stored(folder: Path) -> bytes:
    """All bytes of the folder; nobody but the owner may read them."""
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_a_card_is_good_for_one_number_and_two_minutes(tmp_path: Path) -> None:
    clock = ManualClock(MORNING)
    at = await desk(tmp_path, clock)
    await at.keep(kit(9), 0)
    assert await refused(at, "the-press-0", item="renew") == "ticket.identity_needed"
    token = at.read(CARD).token
    await take(at, "the-press-1", item="renew", identity=token)
    assert (
        await refused(at, "the-press-2", item="renew", identity=token) == "identity.token_expired"
    )
    token = at.read(CARD).token
    await clock.advance(121)
    assert (
        await refused(at, "the-press-3", item="renew", identity=token) == "identity.token_expired"
    )


async def test_what_the_hall_has_settled_is_owed_no_more(tmp_path: Path) -> None:
    at = await desk(tmp_path)
    await at.keep(kit(), 0)
    await take(at, "the-press-1")
    await take(at, "the-press-2")
    first, second = at.owed()
    await at.settle(first)
    await at.settle(second, "lease.unknown")
    again = await desk(tmp_path)
    assert again.owed() == []
    assert [(one.serial, one.code) for one in again.refused()] == [(9002, "lease.unknown")]


async def test_no_number_is_shown_that_the_disk_did_not_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await desk(tmp_path)
    await at.keep(kit(), 0)

    def full(descriptor: int) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(lease_ledger.os, "fsync", full)
        assert await refused(at, "the-press-1") == "lease.disk"
    assert await take(at, "the-press-2") in ("A9001", "A9002")


@example(cut=-1, flip=True)
@example(cut=-1, flip=False)
@hypothesis_given(cut=st.integers(min_value=0, max_value=2000), flip=st.booleans())
def test_after_any_power_cut_or_damage_no_number_that_was_shown_is_given_again(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flip: bool
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    shown = [_append(folder, f"the-press-{one}") for one in range(3)]
    file = folder / f"ledger-{DAY}.jsonl"
    data = file.read_bytes()
    at = cut % len(data)
    if flip:  # a damaged sector: every complete line was shown to somebody
        file.write_bytes(data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :])
        known = set(shown)
    else:  # power cut while the third line was being written: it was not shown
        tail = data.rstrip(b"\n").rfind(b"\n") + 1
        file.write_bytes(data[: max(tail, at)])
        known = set(shown[:2])
    assert _append(folder, "the-press-new") not in known
    lines = LeaseLedger(folder, DAY).given.values()
    serials = [one.ticket.serial for one in lines]
    assert len(serials) == len(set(serials)), "nor owed to the hall twice"


def test_a_number_whose_line_end_was_damaged_is_still_owed(tmp_path: Path) -> None:
    shown = [_append(tmp_path, f"the-press-{one}") for one in range(2)]
    file = tmp_path / f"ledger-{DAY}.jsonl"
    file.write_bytes(file.read_bytes()[:-1] + b"*")
    shown.append(_append(tmp_path, "the-press-new"))
    again = LeaseLedger(tmp_path, DAY)
    assert [one.ticket.serial for one in again.owed()] == shown
    assert again.damaged == 0


def _append(folder: Path, key: str) -> int:
    ledger = LeaseLedger(folder, DAY)
    serial = next(ledger.free(kit(9000), GA))
    ticket = lease_ledger.LeasedTicket(
        day=DAY,
        queue=GA,
        serial=serial,
        item=ItemId("advice"),
        token=new_lease_token(KEY, GA, serial),
        taken_at=MORNING,
    )
    signature = sign(KEY, signed_bytes(ticket))
    ledger.append(lease_ledger.Given(key=key, ticket=ticket, signature=signature))
    return serial


def test_a_process_killed_while_it_gives_numbers_leaves_every_shown_number_behind(
    tmp_path: Path,
) -> None:
    """The child prints a number only after it was stored; it is killed in the middle of its work."""
    script = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_lease_ledger import _append
        for one in range(10_000):
            print(_append(Path({str(tmp_path)!r}), f"the-press-{{one}}"), flush=True)
        """
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        shown = [int(child.stdout.readline()) for _ in range(12)]
    finally:
        child.kill()
        rest = child.stdout.read().split("\n")
        child.stdout.close()
        child.wait()
    shown += [int(line) for line in rest if line.strip()]
    ledger = LeaseLedger(tmp_path, DAY)
    stored = [one.ticket.serial for one in ledger.given.values()]
    assert set(shown) <= set(stored)
    assert len(stored) == len(set(stored))


def test_a_kit_is_replaced_in_one_step_and_a_damaged_one_is_no_kit(tmp_path: Path) -> None:
    save_kit(tmp_path, SavedKit(kit=kit(), skew_ms=5))
    assert load_kit(tmp_path) == SavedKit(kit=kit(), skew_ms=5)
    (tmp_path / "kit.json").write_bytes(b'{"kit":')
    assert load_kit(tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == ["kit.json"]


@hypothesis_given(
    serial=st.integers(min_value=0, max_value=99_999),
    queue=st.from_regex(r"[a-z0-9-]{1,8}", fullmatch=True),
)
def test_a_token_names_its_serial_and_is_known_by_its_key_and_queue_alone(
    serial: int, queue: str
) -> None:
    token = new_lease_token(KEY, queue, serial)
    assert len(token) <= 64
    assert lease_serial(token) == serial
    assert is_lease_token(KEY, queue, token)
    assert not is_lease_token(SECRET, queue, token)
    assert not is_lease_token(KEY, queue + "x", token)


@hypothesis_given(text=st.text(max_size=64))
def test_any_other_text_is_no_token(text: str) -> None:
    assert not is_lease_token(KEY, "ga", text)


def test_a_box_opens_for_its_holder_and_context_alone() -> None:
    box = seal_for(public_half(SECRET), "张小三", context="a")
    assert open_box(SECRET, box, context="a") == "张小三"
    for secret, sealed, context in ((KEY, box, "a"), (SECRET, box, "b"), (SECRET, "AAAA", "a")):
        with pytest.raises(BoxError):
            open_box(secret, sealed, context=context)


def test_a_settled_line_without_its_number_harms_nothing(tmp_path: Path) -> None:
    LeaseLedger(tmp_path, DAY).append(Settled(queue=GA, serial=9001))
    assert LeaseLedger(tmp_path, DAY).owed() == []


async def test_a_day_that_is_over_is_deleted_once_the_hall_has_every_number(tmp_path: Path) -> None:
    at = await desk(tmp_path)
    await at.keep(kit(), 0)
    await take(at, "settled-press")
    await take(at, "owed-press")
    settled, owed = at.owed()
    await at.settle(settled)
    later = msgspec.structs.replace(kit(), day=BusinessDay("2026-12-05"))
    await at.keep(later, 0)
    assert at.owed() == [owed], "a number that the hall does not have was forgotten"
    await at.settle(owed)
    await at.keep(later, 0)
    assert await asyncio.to_thread(days_owed, tmp_path) == []
