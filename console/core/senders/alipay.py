"""Template messages (模板消息) of a life account (生活号) at Alipay; see docs/integrators/alipay.md."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.core.delivering import DeliveryError
from console.core.senders.alipay_client import AlipayClient
from console.core.senders.port import Letter, Receipts, Taken

SINGLE_SEND = "alipay.open.public.message.single.send"
_USER_ID = re.compile(r"2088\d{12}")


def template_message(
    to: str, template: str, link: str, action: str, words: Mapping[str, str]
) -> str:
    """The ``biz_content`` of a template message to an ``open_id`` or ``user_id``: ``words`` are its keywords (first,
    keyword1, …, remark), ``action`` the words of its link."""
    context: dict[str, Any] = {
        name: {"value": value, "color": "#1B2430"} for name, value in words.items()
    }
    context |= {"head_color": "#1F4E8C", "url": link, "action_name": action}
    whom = "to_user_id" if _USER_ID.fullmatch(to) else "to_open_id"
    body = {whom: to, "template": {"template_id": template, "context": context}}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlipaySender:
    """A template message to one person. Alipay knows no repetition: a message whose answer was lost is sent again."""

    client: AlipayClient
    name: str = "alipay"
    sign: str = ""

    async def send(self, letter: Letter) -> Taken:
        if not letter.template:
            raise DeliveryError("no_template", lasting=True)
        words = {"first": letter.title, "keyword1": letter.text}
        content = template_message(letter.to, letter.template, letter.link, letter.title, words)
        found = await self.client.call(SINGLE_SEND, {"biz_content": content})
        return Taken(str(found.get("message_id") or letter.id))

    async def receipts(self, confirmed: str) -> Receipts:
        """Alipay says nothing afterwards."""
        return Receipts()
