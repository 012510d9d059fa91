"""The order of a run: its longest files begin, so that at its end no core waits for the last of them.

pytest-xdist by itself begins with the files that hold the most tests, and ends with those of one long journey.
"""

from pathlib import Path

LONGEST = (
    "browser/demo/test_main_job.py",
    "browser/city/test_citizens_in_browser.py",
    "browser/city/test_rare_pages_in_browser.py",
    "browser/city/test_answered_pages_in_browser.py",
    "browser/hall/test_release_journey.py",
    "browser/kiosk/test_kiosk_and_board_at_a_hall.py",
    "browser/phone/test_phone_in_browser.py",
    "browser/hall/test_manager_in_browser.py",
    "browser/hall/test_closing_in_browser.py",
    "integration/city/test_an_hour_without_the_city.py",
    "integration/benchmarks/test_bench_city.py",
    "integration/benchmarks/test_bench_devices.py",
    "integration/benchmarks/test_bench_hall.py",
    "integration/cli/test_first_steps.py",
    "integration/cli/test_city_commands.py",
    "integration/console/test_rollout_from_the_city.py",
    "integration/store/test_hall_faults.py",
    "integration/boards/test_speakers_in_a_hall.py",
    "integration/boards/test_board_voice.py",
    "integration/benchmarks/test_bench_phones.py",
    "integration/cli/test_demo_start.py",
)
"""Files below ``tests`` that start whole programs or walk a long way; the longest first."""
_TESTS = Path(__file__).parent


def place(file: Path) -> int:
    """Where a file stands in a run; all that are not :data:`LONGEST` stand together, after them."""
    name = file.relative_to(_TESTS).as_posix()
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)
