"""Guards for every test: nothing outlives it, nothing blocks the event loop."""

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings
from longest import place
from threads_left import threads_left

# A busy machine is no counterexample: examples are not timed. Under CI they are the same in each run.
settings.register_profile(
    "qingting", settings.get_profile("ci" if "CI" in os.environ else "default"), deadline=None
)
settings.load_profile("qingting")
pytest_plugins = ["fixtures_postgres", "fixtures_manager"]
# What is imported and collected stays until the end: it is not searched for garbage, neither while it comes nor later.
gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda one: place(one.path))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


def _plain_exception(
    logger: object, method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Rendering a traceback reads source files, which would block the loop under test."""
    error = event.pop("exc_info", None)
    if error:
        event["error"] = repr(sys.exc_info()[1] if error is True else error)
    return event


@pytest.fixture(autouse=True)
def _plain_logs() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _plain_exception,
            structlog.processors.KeyValueRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )


@pytest.fixture(autouse=True)
def _no_blocking_call(request: pytest.FixtureRequest) -> Iterator[BlockBuster | None]:
    """A blocking call inside the event loop fails the test; ``@pytest.mark.browser`` tests drive pipes and are exempt."""
    if request.node.get_closest_marker("browser") is not None:
        yield None
        return
    with blockbuster_ctx() as blockbuster:
        for function in blockbuster.functions.values():
            # Migrations run in a thread with a loop of its own, where they may read files.
            function.can_block_in("console/core/migrate.py", {"_upgrade"})
        yield blockbuster


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert (left := threads_left(before)) == [], f"threads left running: {left}"


@pytest.fixture(autouse=True)
async def _no_task_left(request: pytest.FixtureRequest) -> object:
    """Async tests must cancel and await what they start."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() if task not in before and not task.done()]
    left = [task for task in left if task is not asyncio.current_task()]
    assert not left, f"tasks left running: {left}"
