"""What acts bring back, pictures and diagnostics: in memory, for minutes, never in the log."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from qingting.contract import acts as a
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

KEPT_SECONDS = 600.0
MOST_FILES = 12
_PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActFile:
    """``media`` is a MIME type that was read off the content; ``city``: the city asked for it."""

    act: a.ActId
    media: str
    data: bytes
    city: bool


def media_of(action: a.Action, data: bytes) -> str | None:
    """The type of what an act brought back; None when it is not what the act is for."""
    if isinstance(action, a.TakePicture):
        return next((media for head, media in _PICTURES.items() if data.startswith(head)), None)
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    return "text/plain" if data else None


class FileShelf:
    """The latest files, each until :data:`KEPT_SECONDS` after it came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files: OrderedDict[a.ActId, tuple[float, ActFile]] = OrderedDict()
        self._listeners: list[Callable[[ActFile], None]] = []

    def put(self, file: ActFile) -> None:
        self._files[file.act] = (self._clock.monotonic() + KEPT_SECONDS, file)
        while len(self._files) > MOST_FILES:
            self._files.popitem(last=False)
        for listener in tuple(self._listeners):
            listener(file)

    def subscribe(self, listener: Callable[[ActFile], None]) -> Callable[[], None]:
        """``listener`` hears of each file; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def get(self, act: str) -> ActFile:
        """Raises ``act.file_gone``."""
        self.forget_old()
        found = self._files.get(a.ActId(act))
        if found is None:
            raise Refusal("act.file_gone")
        return found[1]

    def has(self, act: str) -> bool:
        return a.ActId(act) in self._files

    def forget_old(self) -> None:
        now = self._clock.monotonic()
        for act in [one for one, (until, _) in self._files.items() if until <= now]:
            del self._files[act]
