"""What the city tells a hall. Applied as commands with the key ``dir:<no>``, answered by an event."""

from qingting.contract.base import Strict
from qingting.contract.config import HallConfig
from qingting.contract.ids import Words


class PutConfig(Strict, frozen=True, kw_only=True, tag="config.put", tag_field="type"):
    """A new configuration version; an older version than the one in force is refused."""

    config: HallConfig


class PutNotice(Strict, frozen=True, kw_only=True, tag="notice.put", tag_field="type"):
    """A notice for the hall's boards and kiosks; empty text takes it away."""

    text: Words
    text_en: Words = ""


Directive = PutConfig | PutNotice
