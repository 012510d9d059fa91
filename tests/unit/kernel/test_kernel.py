"""The kernel: clocks, tasks, settings, logs without personal data, seals, passwords, keys."""

import asyncio
import io
from pathlib import Path
from typing import Literal

import msgspec
import pytest
import structlog
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from hypothesis import given
from hypothesis import strategies as st

from qingting.contract.states import Language
from qingting.kernel.aio.backoff import Backoff
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.aio.pipe import PipeClosedError, null_modem
from qingting.kernel.aio.tasks import Supervisor
from qingting.kernel.i18n import Catalogue, pick_language
from qingting.kernel.logging import HIDDEN, configure_logging, hide_personal_data
from qingting.kernel.security import device_keys, lockout
from qingting.kernel.security.passwords import Passwords, one_time_password, password_is_strong
from qingting.kernel.security.seal import (
    Sealer,
    SealError,
    load_or_create_sealer,
    new_key,
    parse_keys,
)
from qingting.kernel.settings import SettingsError, load_settings


class TestClockAndTasks:
    async def test_sleepers_wake_in_order_when_time_is_moved(self) -> None:
        clock, woken = ManualClock(), []

        async def sleeper(seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append((seconds, clock.monotonic()))

        async with Supervisor("test") as tasks:
            for seconds in (3, 1, 2):
                tasks.run(f"sleep {seconds}", sleeper(seconds))
            await asyncio.sleep(0)
            await clock.advance(2.5)
            assert woken == [(1, 1.0), (2, 2.0)]

    async def test_a_service_that_crashes_is_started_again(self) -> None:
        starts = 0

        async def service() -> None:
            nonlocal starts
            starts += 1
            if starts < 3:
                raise RuntimeError("crash")

        async with Supervisor("test") as tasks:
            await tasks.keep("service", service, Backoff(first=0.001, cap=0.002))
        assert starts == 3

    async def test_nothing_outlives_its_owner(self) -> None:
        async with Supervisor("test") as tasks:
            task = tasks.run("forever", asyncio.sleep(3600))
        assert task.cancelled()

    @given(st.integers(0, 60))
    def test_backoff_never_exceeds_its_cap(self, attempts: int) -> None:
        backoff = Backoff(first=0.5, factor=2, cap=30, jitter=0.2)
        delays = [backoff.next() for _ in range(attempts + 1)]
        assert all(0.4 <= delay <= 36 for delay in delays)
        backoff.reset()
        assert backoff.next() <= 0.6

    async def test_a_null_modem_carries_bytes_and_can_be_unplugged(self) -> None:
        left, right = null_modem()
        received: list[bytes] = []
        lost: list[Exception | None] = []
        right.on_data(received.append)
        right.on_close(lost.append)
        left.manipulate = lambda data: [data[:1], data[1:]]
        await left.write(b"abc")
        await asyncio.sleep(0)
        assert received == [b"a", b"bc"]
        left.unplug(None)
        await asyncio.sleep(0)
        assert lost == [None]
        with pytest.raises(PipeClosedError):
            await left.write(b"x")


class Example(msgspec.Struct, frozen=True, kw_only=True):
    host: str
    port: int = 8080
    secret: str = ""


class TestSettings:
    def test_the_environment_wins_over_the_file(self, tmp_path: Path) -> None:
        file = tmp_path / "hall.toml"
        file.write_text('host = "file"\nport = 1')
        settings = load_settings(Example, file=file, environ={"QINGTING_PORT": "9", "PATH": "/bin"})
        assert (settings.host, settings.port) == ("file", 9)

    def test_all_faults_are_reported_at_once(self, tmp_path: Path) -> None:
        file = tmp_path / "hall.toml"
        file.write_text('port = "many"\ncolour = "red"')
        with pytest.raises(SettingsError) as caught:
            load_settings(Example, file=file, environ={})
        assert [fault.split(":")[0] for fault in caught.value.faults] == ["colour", "host", "port"]

    def test_a_secret_may_come_from_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("s3cret\n")
        settings = load_settings(
            Example,
            file=None,
            environ={"QINGTING_HOST": "h", "QINGTING_SECRET_FILE": str(tmp_path / "key")},
        )
        assert settings.secret == "s3cret"

    def test_an_unreadable_file_is_a_fault(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError):
            load_settings(Example, file=tmp_path / "missing.toml", environ={})


class TestLogs:
    def test_personal_data_never_reaches_a_log_line(self) -> None:
        event = {
            "event": "card read 230602199001011238",
            "name": "张三",
            "detail": {"phone": "13812345678", "n": [1, "13812345678"]},
        }
        assert hide_personal_data(None, "info", event) == {
            "event": f"card read {HIDDEN}",
            "name": HIDDEN,
            "detail": {"phone": HIDDEN, "n": [1, HIDDEN]},
        }

    def test_logs_are_json_lines_in_chinese(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stream = io.StringIO()
        monkeypatch.setattr("sys.stderr", stream)
        try:
            configure_logging("info", json=True)
            structlog.get_logger("test").info("hall.open", hall="萨尔图")
        finally:
            structlog.reset_defaults()
        assert '"hall": "萨尔图"' in stream.getvalue()


KEYS = parse_keys("\n".join([new_key("k1"), new_key("k2")]))


class TestSeals:
    @given(st.text(max_size=200))
    def test_what_is_sealed_can_be_opened(self, text: str) -> None:
        assert (
            Sealer(KEYS).open(Sealer(KEYS).seal(text, context="person"), context="person") == text
        )

    def test_a_box_of_an_old_key_still_opens_after_rotation(self) -> None:
        box = Sealer(KEYS[:1]).seal("张三", context="person")
        assert Sealer(KEYS).open(box, context="person") == "张三"
        assert Sealer(KEYS).blind_index("x") == Sealer(KEYS[:1]).blind_index("X ")

    def test_a_changed_box_or_context_is_refused(self) -> None:
        box = Sealer(KEYS).seal("张三", context="person")
        flipped = box[:-2] + ("A" if box[-2] != "A" else "B") + box[-1]
        for bad, context in (
            (flipped, "person"),
            (box, "other"),
            ("k2.AAAA", "person"),
            ("k9.AAAA", "person"),
            ("k2.?", "person"),
        ):
            with pytest.raises(SealError):
                Sealer(KEYS).open(bad, context=context)

    def test_two_seals_of_one_text_differ(self) -> None:
        assert Sealer(KEYS).seal("张三", context="p") != Sealer(KEYS).seal("张三", context="p")

    def test_keys_never_show_in_a_repr(self) -> None:
        assert KEYS[0].cipher.hex() not in repr(KEYS[0])

    def test_a_key_file_is_made_once_for_its_owner_only(self, tmp_path: Path) -> None:
        path = tmp_path / "keys" / "seal.key"
        box = load_or_create_sealer(path).seal("x", context="p")
        assert load_or_create_sealer(path).open(box, context="p") == "x"
        assert path.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("text", ["k1", "k1:zz", "k1:" + "00" * 31, "k 1:" + "00" * 32])
    def test_a_damaged_key_file_is_refused_with_its_line(self, text: str) -> None:
        with pytest.raises(SealError, match="line 1"):
            parse_keys(text)


class TestCredentials:
    async def test_passwords_are_verified_and_unknown_accounts_cost_the_same(self) -> None:
        passwords = Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=64))
        stored = await passwords.hash("Correct-horse-9")
        assert await passwords.verify(stored, "Correct-horse-9")
        assert not await passwords.verify(stored, "wrong")
        assert not await passwords.verify(None, "Correct-horse-9")
        assert not await passwords.verify("not a hash", "x")

    async def test_an_unknown_account_is_compared_with_a_hash_of_the_same_cost(self) -> None:
        compared = list[str]()

        class Listening(PasswordHasher):
            def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - its name there
                compared.append(str(hash))
                return super().verify(hash, password)

        hasher = Listening(time_cost=2, memory_cost=64, parallelism=1, hash_len=24, salt_len=8)
        assert not await Passwords(hasher=hasher).verify(None, "x")
        real = await asyncio.to_thread(hasher.hash, "x")
        assert extract_parameters(compared[0]) == extract_parameters(real)
        with pytest.raises(VerifyMismatchError):
            await asyncio.to_thread(hasher.verify, compared[0], "x")

    async def test_the_shipped_hash_is_argon2id_and_costs_64_mib(self) -> None:
        assert (await Passwords().hash("Correct-horse-9")).startswith("$argon2id$v=19$m=65536,t=3,")

    @pytest.mark.parametrize(
        ("password", "strong"),
        [
            ("Ab3-efghij", True),
            ("abcdefghij", False),
            ("Ab3-", False),
            ("Admin-12345", False),
            ("abcdef12345", False),
        ],
    )
    def test_the_password_policy(self, password: str, strong: bool) -> None:
        assert password_is_strong(password, "admin") is strong

    def test_one_time_passwords_are_strong_and_differ(self) -> None:
        made = {one_time_password() for _ in range(50)}
        assert len(made) == 50
        assert all(password_is_strong(one, "admin") for one in made)

    def test_device_keys_match_only_themselves(self) -> None:
        key = device_keys.new_device_key()
        assert device_keys.matches(device_keys.digest(key), key)
        assert not device_keys.matches(device_keys.digest(key), key + "x")
        assert len(device_keys.new_pairing_code()) == 8

    def test_sm3_is_sm3(self) -> None:
        assert (
            device_keys.digest("abc")
            == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        )

    def test_five_wrong_passwords_lock_for_fifteen_minutes(self) -> None:
        tries = lockout.Tries()
        for left in (4, 3, 2, 1):
            tries = lockout.after_failure(tries, 0)
            assert lockout.tries_left(tries) == left
            assert lockout.locked_minutes(tries, 0) == 0
        tries = lockout.after_failure(tries, 0)
        assert lockout.locked_minutes(tries, 0) == 15
        assert lockout.locked_minutes(tries, 14 * 60_000 + 1) == 1
        assert lockout.locked_minutes(tries, 15 * 60_000) == 0


class TestLanguages:
    def test_chinese_unless_english_is_chosen(self) -> None:
        assert pick_language(None) is Language.ZH
        assert pick_language("en") is Language.EN
        assert pick_language("en", "zh-CN") is Language.ZH

    def test_a_text_without_a_twin_is_refused(self) -> None:
        with pytest.raises(LookupError, match="only_zh"):
            Catalogue({Language.ZH: {"only_zh": "一"}, Language.EN: {}})
