"""A few thousand of the strings of ``make fuzz`` for every codec, in each run of the suite."""

from fuzz_codecs import KEPT_BYTES, codecs, fuzz


def test_no_codec_crashes_hangs_or_grows_on_any_bytes() -> None:
    found = list(fuzz(3000, seed=1))
    assert [name for name, _, _ in found] == [name for name, *_ in codecs()]
    assert all(most <= KEPT_BYTES for _, most, _ in found)
