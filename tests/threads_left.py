"""Which threads somebody forgot to end."""

import threading

_THREADS_THAT_STAY = ("asyncio_", "ThreadPoolExecutor", "pytest_timeout", "execnet")
_TIME_TO_END_S = 5.0


def threads_left(before: set[threading.Thread]) -> list[str]:
    """Names of those that run now and did not in ``before``."""
    return [thread.name for thread in threading.enumerate() if _is_left(thread, before)]


def _is_left(thread: threading.Thread, before: set[threading.Thread]) -> bool:
    if thread in before or thread.name.startswith(_THREADS_THAT_STAY):
        return False
    # What was told to end may need a moment: Python 3.11 waits for each child in a thread of its own.
    thread.join(_TIME_TO_END_S)
    return thread.is_alive()
