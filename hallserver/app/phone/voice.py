"""The language of a reader, from the server's catalogue and the hall's own clock."""

from functools import partial

from hallserver.app.desk import Desk
from hallserver.app.phone.words import Voice
from hallserver.engine.days import offset_minutes
from qingting.contract.states import Language


def voice_of(desk: Desk, language: Language) -> Voice:
    offset = offset_minutes(desk.state.config)
    return Voice(
        language,
        partial(desk.pages.text, language),
        lambda at: desk.pages.when(at, language, offset),
    )
