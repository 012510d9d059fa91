"""Runs one PostgreSQL and ends it when its owner is gone; started as a script, imports nothing of ours.

The owner keeps the other end of our standard input open. Whatever ends the owner, even ``kill -9``,
closes it, and PostgreSQL is told to stop fast (SIGINT) and awaited. Without this a killed owner
would leave a postmaster behind.

Usage: ``python postgres_guard.py USER LOGFILE POSTGRES [ARGUMENT …]``; USER ``-`` keeps the present one.
"""

import signal
import subprocess
import sys
import threading

STOP_SECONDS = 20.0


def _stop_when_alone(process: "subprocess.Popen[bytes]") -> None:
    sys.stdin.buffer.read()
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)


def main() -> int:
    user, log_path, *command = sys.argv[1:]
    # The owner's Ctrl-C reaches the whole group: the owner decides when the database stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    identity = {} if user == "-" else {"user": user, "group": user, "extra_groups": []}
    with open(log_path, "ab") as log:  # noqa: PTH123 - runs isolated and early
        process = subprocess.Popen(  # type: ignore[call-overload] # noqa: S603 - the owner's own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **identity,
        )
    threading.Thread(target=_stop_when_alone, args=(process,), daemon=True).start()
    return int(process.wait())


if __name__ == "__main__":
    sys.exit(main())
