"""Ways to tell somebody outside the console: a port, mail by SMTP and a signed webhook.

A channel sends one message once or says why not; whoever uses it keeps the message, its tries and their outcome.
"""

import hmac
import ipaddress
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import msgspec

from console.core.delivering import SEND_SECONDS, DeliveryError
from console.core.mailing import MailServer
from qingting.contract.base import Strict
from qingting.contract.conditions import Severity
from qingting.kernel.aio.clock import Clock


class Message(Strict, frozen=True, kw_only=True):
    """Something to tell. ``id`` is the same at every try, so that a receiver can know a repetition.

    It holds no personal data: it leaves the house.
    """

    id: str
    at: int
    severity: Severity
    act: str
    title: str
    text: str
    facts: dict[str, str] = msgspec.field(default_factory=dict)


class Channel(Protocol):
    """``name`` is kept with every delivery and must not change. ``least``: the mildest severity it carries."""

    @property
    def name(self) -> str: ...

    @property
    def least(self) -> Severity: ...

    @property
    def carries_all(self) -> bool:
        """False when it has no address of its own and serves others only."""
        ...

    def addressed(self, name: str, to: tuple[str, ...]) -> "Channel":
        """The same way to other addresses."""
        ...

    async def send(self, message: Message) -> None:
        """Returns when the other side has taken it; raises :class:`DeliveryError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChannel:
    """POSTs the message as JSON. ``X-Qingting-Signature`` is ``t=<ms>,v1=<hex>`` with
    HMAC-SHA256(secret, "<ms>." + body), so that a receiver knows the sender and refuses what is old."""

    url: str
    secret: str
    clock: Clock
    least: Severity = Severity.WARNING
    name: str = "webhook"

    @property
    def carries_all(self) -> bool:
        return bool(self.url)

    def addressed(self, name: str, to: tuple[str, ...]) -> "WebhookChannel":
        return replace(self, name=name, url=to[0])

    async def send(self, message: Message) -> None:
        body = msgspec.json.encode(message)
        headers = {
            "Content-Type": "application/json",
            "X-Qingting-Signature": signature(self.secret, self.clock.now_ms(), body),
            "Idempotency-Key": message.id,
        }
        timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.post(self.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError(type(error).__name__) from error
        if status >= 300:
            # 408, 425 and 429 ask to come again; the rest of 4xx will not change by itself.
            lasting = 400 <= status < 500 and status not in (408, 425, 429)
            raise DeliveryError(f"HTTP {status}", lasting=lasting)


def signature(secret: str, at: int, body: bytes) -> str:
    """The header by which a receiver checks a webhook."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest()
    return f"t={at},v1={mac}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailChannel:
    """Mail by SMTP. ``security``: ``tls`` from the first byte, ``starttls``, or ``none`` for a relay on this
    machine."""

    host: str
    port: int
    sender: str
    receivers: tuple[str, ...]
    security: str = "starttls"
    user: str = ""
    password: str = ""
    least: Severity = Severity.CRITICAL
    name: str = "mail"

    @property
    def carries_all(self) -> bool:
        return bool(self.receivers)

    def addressed(self, name: str, to: tuple[str, ...]) -> "MailChannel":
        return replace(self, name=name, receivers=to)

    async def send(self, message: Message) -> None:
        server = MailServer(
            host=self.host,
            port=self.port,
            sender=self.sender,
            security=self.security,
            user=self.user,
            password=self.password,
        )
        mail = server.mail(
            self.receivers, id=message.id, at=message.at, title=message.title, text=message.text
        )
        await server.post(mail)


class ChannelSettings(Strict, frozen=True, kw_only=True):
    """Where alarms go outside. A secret without ``webhook_url``, a mail server without ``mail_to`` serve only
    the receivers that the console's pages name."""

    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_least: Severity = Severity.WARNING
    mail_server: str = ""
    """``host:port``."""
    mail_security: str = "starttls"
    mail_from: str = ""
    mail_to: str = ""
    """Addresses parted by commas."""
    mail_user: str = ""
    mail_password: str = ""
    mail_least: Severity = Severity.CRITICAL
    webhook_networks: str = ""
    """Networks of the own house, parted by commas, that events may be posted to; public addresses alone without it."""


def channel_faults(settings: ChannelSettings) -> list[str]:
    """What is wrong with the settings, one English line each."""
    faults = []
    if settings.webhook_url:
        url = urlsplit(settings.webhook_url)
        local = url.scheme == "http" and url.hostname in ("127.0.0.1", "localhost")
        if url.scheme != "https" and not local:
            faults.append("webhook_url: must begin with https://")
    if (settings.webhook_url or settings.webhook_secret) and len(settings.webhook_secret) < 16:
        faults.append("webhook_secret: at least 16 characters are needed to sign")
    try:
        _ = [
            ipaddress.ip_network(one.strip()) for one in settings.webhook_networks.split(",") if one
        ]
    except ValueError:
        faults.append(
            "webhook_networks: networks parted by commas are expected, such as 10.0.0.0/8"
        )
    if settings.mail_server:
        host, _, port = settings.mail_server.rpartition(":")
        if not host or not port.isdecimal():
            faults.append("mail_server: host:port is expected")
        if settings.mail_security not in ("tls", "starttls", "none"):
            faults.append("mail_security: tls, starttls or none is expected")
        if not settings.mail_from:
            faults.append("mail_from: needed to send mail")
    return faults


def open_channels(settings: ChannelSettings, clock: Clock) -> tuple[Channel, ...]:
    """The channels that ``settings`` describe; call :func:`channel_faults` before."""
    found: list[Channel] = []
    if settings.webhook_secret:
        found.append(
            WebhookChannel(
                url=settings.webhook_url,
                secret=settings.webhook_secret,
                clock=clock,
                least=settings.webhook_least,
            )
        )
    if settings.mail_server:
        host, _, port = settings.mail_server.rpartition(":")
        found.append(
            MailChannel(
                host=host,
                port=int(port),
                sender=settings.mail_from,
                receivers=tuple(one.strip() for one in settings.mail_to.split(",") if one.strip()),
                security=settings.mail_security,
                user=settings.mail_user,
                password=settings.mail_password,
                least=settings.mail_least,
            )
        )
    return tuple(found)
