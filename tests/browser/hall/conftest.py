"""Fixtures of the hall's browser tests."""

import threading
from collections.abc import Iterator

import pytest
from manager_browser import hall, manager, past
from threads_left import threads_left

__all__ = ["hall", "manager", "past"]


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """The hall of a file may start its speech program in any test and ends it with the file."""
    before = set(threading.enumerate())
    yield
    assert (left := threads_left(before)) == [], f"threads left running: {left}"
