"""A sound device as a program: takes PCM on its standard input and plays it to nobody, with faults.

``python -m simulators.sound_card FOLDER DEVICE RATE`` stands where ``aplay`` would; with ``mixer`` for RATE it answers
as ``amixer sget Master``. The device is a folder ``FOLDER/DEVICE``: no folder, no device. It plays in real time
divided by the number in ``speed``, keeps each sound it played to its end as ``heard-NNN.pcm``, and each start as a
line in ``starts``. What is wrong with it is the word in ``fault``:

=========  ==============================================================
``busy``   another program holds it
``stuck``  it takes the sound and never ends
``slow``   it plays at half its speed
``dies``   it is gone in the middle of the sound
``eager``  it takes all at once and says that all is well
``muted``  it plays, and its mixer is off
=========  ==============================================================
"""

import sys
import time
from pathlib import Path

_PROGRAM = """#!/bin/sh
device=default rate={rate}
while [ $# -gt 0 ]; do
  case "$1" in -D) device=$2; shift;; -r) rate=$2; shift;; esac
  shift
done
exec "{python}" "{here}" "{folder}" "$device" "$rate"
"""
SLICES = 20
"""A sound is played in so many pieces; between two of them a fault may begin."""


def lay_programs(folder: Path, cards: Path) -> None:
    """Puts an ``aplay`` and an ``amixer`` into ``folder`` that play to the devices below ``cards``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rate in (("aplay", "24000"), ("amixer", "mixer")):
        text = _PROGRAM.format(rate=rate, python=sys.executable, here=__file__, folder=cards)
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o755)


def main(arguments: list[str]) -> int:
    """The program's exit code."""
    folder, name, rate = arguments
    device = Path(folder) / name
    if rate == "mixer":
        return _mixer(device)
    if not device.is_dir():
        return _complain("No such file or directory")
    if _fault(device) == "busy":
        return _complain("Device or resource busy")
    with (device / "starts").open("a", encoding="utf-8") as starts:
        starts.write(f"{rate}\n")
    pcm = sys.stdin.buffer.read()
    if _fault(device) == "eager":
        return 0
    if not _played(device, len(pcm) / 2 / int(rate)):
        return _complain("write error: No such device")
    if any(pcm):
        number = len(list(device.glob("heard-*.pcm"))) + 1
        (device / f"heard-{number:03}.pcm").write_bytes(pcm)
    return 0


def _mixer(device: Path) -> int:
    if not device.is_dir():
        return _complain("No such file or directory")
    state = "off" if _fault(device) == "muted" else "on"
    sys.stdout.write(f"  Mono: Playback 42 [66%] [-20.00dB] [{state}]\n")
    return 0


def _played(device: Path, seconds: float) -> bool:
    """False when the device is gone before the end."""
    for turn in range(SLICES):
        fault = _fault(device)
        while fault == "stuck":
            time.sleep(0.05)
            fault = _fault(device)
        if not device.is_dir() or (fault == "dies" and turn >= SLICES // 2):
            return False
        time.sleep(seconds / SLICES / _speed(device) * (2 if fault == "slow" else 1))
    return True


def _fault(device: Path) -> str:
    file = device / "fault"
    return file.read_text("utf-8").strip() if file.exists() else ""


def _speed(device: Path) -> float:
    file = device / "speed"
    return float(file.read_text("utf-8")) if file.exists() else 1.0


def _complain(words: str) -> int:
    sys.stderr.write(f"main:831: audio open error: {words}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
