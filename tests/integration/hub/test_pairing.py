"""A new device gets its own key by a code that is good once and for ten minutes."""

import asyncio
from typing import Any

import pytest

from hallserver.hub.accounts import Pairing
from qingting.contract import hub as h
from qingting.contract.ids import DeviceId, StaffId, WindowId
from qingting.contract.states import DeviceKind, Role

House = Any
MANAGER = StaffId("s-09")


async def code_for(house: House, device: str = "pad9") -> str:
    pairing = Pairing(
        device=DeviceId(device), kind=DeviceKind.CALL_PAD, name="9号呼叫器", window=WindowId("w2")
    )
    code, until = await house.accounts.devices.make_code(pairing, MANAGER)
    assert until - house.clock.now_ms() > 9 * 60_000
    return str(code)


async def pair(house: House, code: str, kind: DeviceKind = DeviceKind.CALL_PAD) -> Any:
    client = await house.dial()
    await client.say(h.Pair(code=code, kind=kind, version=1))
    await client._task
    return next(one for one in client.messages if isinstance(one, h.Paired | h.Bye))


async def test_a_device_is_paired_registered_and_bound_to_its_window(house: House) -> None:
    code = await code_for(house)
    paired = await pair(house, f"{code[:4]} {code[4:]}")
    assert paired.device == "pad9"
    house.keys["pad9"] = paired.key
    async with await house.join("pad9") as pad:
        assert house.hub.board.session_of(DeviceId("pad9")).role is Role.CALL_PAD
        await pad.ask(h.Ping(), key=None)
    assert house.hall.state.devices[DeviceId("pad9")].window == "w2"


async def test_a_code_is_good_once(house: House) -> None:
    code = await code_for(house)
    assert isinstance(await pair(house, code), h.Paired)
    bye = await pair(house, code)
    assert (bye.problem.code, bye.retry) == ("hub.pairing_code_wrong", False)


async def test_a_code_is_good_for_ten_minutes(house: House) -> None:
    code = await code_for(house)
    house.clock.shift += 10 * 60 + 1
    assert (await pair(house, code)).problem.code == "hub.pairing_code_wrong"


async def test_a_code_pairs_only_the_kind_it_was_made_for(house: House) -> None:
    code = await code_for(house)
    assert (await pair(house, code, DeviceKind.KIOSK)).problem.code == "hub.pairing_code_wrong"
    assert isinstance(await pair(house, code), h.Paired)


async def test_a_newer_code_for_a_device_ends_the_older(house: House) -> None:
    old, new = await code_for(house), await code_for(house)
    assert isinstance(await pair(house, old), h.Bye)
    assert isinstance(await pair(house, new), h.Paired)


async def test_guessing_is_locked_out_even_over_a_restart_and_with_the_right_code(
    house: House,
) -> None:
    code = await code_for(house)
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    codes = [(await pair(house, wrong)).problem.code for _ in range(5)]
    assert codes == ["hub.pairing_code_wrong"] * 4 + ["hub.pairing_locked"]
    await house.restart()
    locked = await pair(house, code)
    assert locked.problem.code == "hub.pairing_locked"
    assert locked.problem.params == {"minutes": 15}
    house.clock.shift += 15 * 60 + 1
    assert isinstance(await pair(house, await code_for(house)), h.Paired)


async def test_a_code_for_a_window_that_is_gone_stays_unused(house: House) -> None:
    pairing = Pairing(
        device=DeviceId("padx"), kind=DeviceKind.CALL_PAD, name="x", window=WindowId("w77")
    )
    code, _ = await house.accounts.devices.make_code(pairing, MANAGER)
    assert (await pair(house, code)).problem.code == "window.unknown"
    assert not await house.accounts.devices.code_used(DeviceId("padx"))


async def test_the_file_holds_neither_keys_nor_codes_nor_passwords(house: House) -> None:
    code = await code_for(house)
    key = await house.key_of("k1")
    await house.accounts.staff.seed({StaffId("s-01"): "Lotus-2026-pond"})
    await house.stop()
    data = await asyncio.to_thread(house.path.read_bytes)
    for secret in (code, key, "Lotus-2026-pond"):
        assert secret.encode() not in data


@pytest.mark.parametrize("number", ["0101", "7777"], ids=["known", "unknown"])
async def test_wrong_passwords_lock_the_number_and_the_lock_survives_a_restart(
    house: House, number: str
) -> None:
    await house.accounts.staff.seed({StaffId("s-01"): "Lotus-2026-pond"})
    async with await house.join("pad1") as pad:
        for left in (4, 3, 2, 1):
            result = await pad.result(h.Login(number=number, password="no"), key=None)
            assert (result.problem.code, result.problem.params) == (
                "staff.wrong_password",
                {"left": left},
            )
        assert await pad.refused(h.Login(number=number, password="no"), key=None) == "staff.locked"
    await house.restart()
    right = h.Login(number=number, password="Lotus-2026-pond")
    async with await house.join("pad1") as pad:
        assert await pad.refused(right, key=None) == "staff.locked"
        house.clock.shift += 15 * 60 + 1
        result = await pad.result(right, key=None)
        assert result.ok is (number == "0101")


async def test_a_right_password_clears_the_count(house: House) -> None:
    await house.accounts.staff.seed({StaffId("s-01"): "Lotus-2026-pond"})
    async with await house.join("pad1") as pad:
        for _ in range(3):
            for _ in range(4):
                await pad.refused(h.Login(number="0101", password="no"), key=None)
            await pad.ask(h.Login(number="0101", password="Lotus-2026-pond"), key=None)
