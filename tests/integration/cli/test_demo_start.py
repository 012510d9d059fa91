"""A demonstration that cannot start says why in words, not in a traceback."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qingting.demo.children import Child, ChildError
from qingting.demo.run import CONTROL_OFFSET


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


def test_a_port_that_is_taken_is_named(taken_port: int, tmp_path: Path) -> None:
    base = str(taken_port - CONTROL_OFFSET)
    command = [sys.executable, "-m", "qingting.cli", "demo", "--base-port", base]
    done = subprocess.run(
        [*command, "--data", str(tmp_path)], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert str(taken_port) in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_server_that_ends_while_starting_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    child = Child(
        "hall x", ("hall", "--settings", str(tmp_path / "none.toml")), "http://127.0.0.1:1/", log
    )
    await child.start()
    try:
        with pytest.raises(ChildError) as failed:
            await child.ready()
    finally:
        await child.stop()
    assert str(failed.value).startswith("hall x ended while starting:")
    assert "none.toml" in str(failed.value)
