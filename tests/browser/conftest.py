"""Browsers wait as :mod:`patience` says: a guard against hanging, never a guess at the machine's speed."""

from collections.abc import Iterator

import pytest
from patience import HANG_MS
from playwright.async_api import expect

_PLAYWRIGHTS_OWN_MS = 5000


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    expect.set_options(timeout=HANG_MS)
    yield
    expect.set_options(timeout=_PLAYWRIGHTS_OWN_MS)
