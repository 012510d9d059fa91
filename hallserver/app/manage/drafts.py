"""Drafts of board layouts that an editor's preview looks at: in memory, few, under names nobody can guess."""

from collections import OrderedDict
from dataclasses import dataclass

from aiohttp import web

from hallserver.boards.strip import StripProgramme
from qingting.contract.boards import BoardView
from qingting.contract.errors import Refusal
from qingting.contract.ids import Millis
from qingting.kernel.security.device_keys import new_token

KEPT = 64


@dataclass(frozen=True, slots=True)
class Draft:
    """What a board would show; ``programme`` when it is a strip, whose turns begin at ``since``."""

    entries: dict[str, BoardView]
    programme: StripProgramme | None
    since: Millis


class Drafts:
    """The latest drafts; the oldest is forgotten first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Draft] = OrderedDict()

    def keep(self, draft: Draft) -> str:
        """The name under which the preview asks for it."""
        name = new_token()
        self._kept[name] = draft
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return name

    def find(self, name: str) -> Draft:
        """Raises ``board.draft_gone``."""
        draft = self._kept.get(name)
        if draft is None:
            raise Refusal("board.draft_gone")
        return draft


DRAFTS = web.AppKey("board_drafts", Drafts)
