"""One-time codes: about now, and each step once."""

import pyotp
from hypothesis import given
from hypothesis import strategies as st

from qingting.kernel.security.totp import (
    STEP_S,
    code_at,
    key_uri,
    matching_step,
    new_recovery_codes,
    new_secret,
    recovery_code,
)

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA===="


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238 appendix B, SHA256: eight digits there, of which ours are the last six."""
    for second, code in (
        (59, "46119246"),
        (1_111_111_109, "68084774"),
        (2_000_000_000, "90698825"),
    ):
        assert code_at(SECRET, second // STEP_S) == code[-6:]


@given(st.integers(10**9, 4 * 10**9), st.integers(-4, 4), st.integers(-4, 4))
def test_a_code_is_taken_when_it_is_about_now_and_later_than_the_last(
    second: int, off: int, last: int
) -> None:
    now = second // STEP_S
    found = matching_step(SECRET, code_at(SECRET, now + off), second * 1000, now + last)
    if abs(off) <= 1 and off > last:
        assert found == now + off
    elif found is not None:
        # Two steps may share a code by chance; never is one taken that is not later than the last.
        assert code_at(SECRET, found) == code_at(SECRET, now + off)
        assert found not in (now + off, now + last)
        assert now + last < found <= now + 1


def test_what_is_no_code_is_not_taken() -> None:
    for text in ("", "12345", "1234567", "abcdef", "１２３４５６"):
        assert matching_step(SECRET, text, 10**12, 0) is None, text


def test_recovery_codes_are_all_different_and_read_however_they_are_typed() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert recovery_code(f" {codes[0].upper().replace('-', ' ')} ") == codes[0].replace("-", "")
    assert recovery_code("123456") == ""


def test_an_app_reads_everything_from_the_picture() -> None:
    read = pyotp.parse_uri(key_uri(new_secret(), account="admin", issuer="庆厅"))
    assert isinstance(read, pyotp.TOTP)
    assert (read.name, read.issuer, read.interval, read.digits) == ("admin", "庆厅", 30, 6)
