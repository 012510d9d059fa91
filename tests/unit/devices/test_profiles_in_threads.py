"""Agents of one process read their profiles at the same time, each in a thread of its own."""

import subprocess
import sys

PROGRAM = """
import sys, threading
from hallserver.devices.profiles import shipped_profiles

library, barrier = shipped_profiles(), threading.Barrier(4)
sys.setswitchinterval(1e-6)

def read():
    barrier.wait()
    library.load("generic.escpos80")
    library.load("generic.samv")

threads = [threading.Thread(target=read) for _ in range(4)]
[one.start() for one in threads]
[one.join() for one in threads]
"""


def test_profiles_first_read_by_several_threads_crash_nothing() -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")
