"""The systems outside that a demonstration has beside its devices: simulated, served by the same bench."""

import secrets
from dataclasses import dataclass

from qingting.demo.item_system import demo_item_system, item_settings
from qingting.demo.sign_on import demo_provider, sign_on_settings
from simulators.citizen_code import CitizenCodePlatform
from simulators.identity_provider import IdentityProvider
from simulators.item_system import ItemSystem
from simulators.messages import AlipayPlatform, MessagePlatform
from simulators.serve import RunningBench

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platforms:
    """What halls ask (``codes``) and what the city asks or tells."""

    codes: CitizenCodePlatform
    identity: IdentityProvider
    messages: MessagePlatform
    alipay: AlipayPlatform
    items: ItemSystem

    def code_settings(self, bench: RunningBench) -> dict[str, str]:
        """How a hall's server asks about citizen codes."""
        return {
            "citizen_code_url": bench.code_api,
            "citizen_code_key": self.codes.key,
            "citizen_code_secret": self.codes.secret,
        }

    def city_settings(self, bench: RunningBench) -> dict[str, str]:
        """How the console signs people on, tells citizens, and asks for service items."""
        return (
            sign_on_settings(self.identity)
            | _message_settings(bench, self.messages)
            | _alipay_settings(bench, self.alipay)
            | item_settings(bench, self.items)
        )


def demo_platforms() -> Platforms:
    """With secrets of their own. Reads the demonstration's data: call it off the loop."""
    messages = MessagePlatform("demo", secrets.token_urlsafe(24))
    return Platforms(
        codes=CitizenCodePlatform("demo", secrets.token_urlsafe(24)),
        identity=demo_provider(),
        messages=messages,
        alipay=AlipayPlatform(messages),
        items=demo_item_system(),
    )


def _message_settings(bench: RunningBench, messages: MessagePlatform) -> dict[str, str]:
    """How the console tells citizens: what it sends arrives beside the bench and nowhere else."""
    return {
        "sms_url": bench.message_api,
        "sms_account": messages.account,
        "sms_secret": messages.secret,
        "sms_sign": messages.sign,
        "push_url": bench.message_api,
        "push_account": messages.account,
        "push_secret": messages.secret,
        "citizen_mail": "true",
        "mail_server": f"{HOST}:{bench.mail_port}",
        "mail_security": "none",
        "mail_from": "no-reply@daqing.example",
    }


def _alipay_settings(bench: RunningBench, alipay: AlipayPlatform) -> dict[str, str]:
    """How the console tells citizens at Alipay."""
    return {
        "alipay_app_id": alipay.app_id,
        "alipay_key": alipay.city_key,
        "alipay_public_key": alipay.alipay_key,
        "alipay_gateway": f"{bench.alipay}/gateway.do",
        "alipay_authorize": f"{bench.alipay}/authorize",
    }
