"""Benchmarks as their users start them, in a process of its own."""

import subprocess
import sys

import msgspec

from benchmarks.processes import ROOT

HANG_S = 280


def figures_of(script: str) -> dict[str, float]:
    """The one flat object that ``script`` prints; fails with what it said when it fails, or prints anything else."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=HANG_S, check=False
    )
    said = done.stderr.decode()
    assert done.returncode == 0, said
    figures = msgspec.json.decode(done.stdout, type=dict[str, float])
    assert figures.get("errors", 0) == 0, said
    return figures
