"""Providers of SMS, app messages, Alipay messages and mail as a city has them: interfaces at byte level, faults, and the phones that get
the messages."""

from simulators.messages.alipay import AlipayPlatform
from simulators.messages.mail import serve_mail
from simulators.messages.platform import Fault, MessagePlatform, Way
from simulators.messages.web import create_messages_app

__all__ = [
    "AlipayPlatform",
    "Fault",
    "MessagePlatform",
    "Way",
    "create_messages_app",
    "serve_mail",
]
