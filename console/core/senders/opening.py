"""Settings of the ways to citizens, and what they open."""

from urllib.parse import urlsplit

from console.core.channels import ChannelSettings
from console.core.mailing import MailServer
from console.core.senders.gateways import MailSender, PushSender, SmsSender
from console.core.senders.port import Sender
from console.core.senders.signing import Gateway
from qingting.kernel.aio.clock import Clock

LEAST_SECRET = 16


class SenderSettings(ChannelSettings, frozen=True, kw_only=True):
    """``sms_url`` and ``push_url`` are where the providers' paths begin, with account and secret; empty: there is no
    such way. Citizens get mail when ``citizen_mail`` is set, by the mail server of the alarms."""

    sms_url: str = ""
    sms_account: str = ""
    sms_secret: str = ""
    sms_sign: str = ""
    push_url: str = ""
    push_account: str = ""
    push_secret: str = ""
    citizen_mail: bool = False


def sender_faults(settings: SenderSettings) -> list[str]:
    """What is wrong with the settings, one English line each."""
    faults = []
    for way, url, account, secret in (
        ("sms", settings.sms_url, settings.sms_account, settings.sms_secret),
        ("push", settings.push_url, settings.push_account, settings.push_secret),
    ):
        if not url:
            continue
        parts = urlsplit(url)
        local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
        if parts.scheme != "https" and not local:
            faults.append(f"{way}_url: must begin with https://")
        if not account:
            faults.append(f"{way}_account: needed with {way}_url")
        if len(secret) < LEAST_SECRET:
            faults.append(f"{way}_secret: at least {LEAST_SECRET} characters are needed to sign")
    if settings.sms_url and not 2 <= len(settings.sms_sign) <= 16:
        faults.append("sms_sign: the approved signature, 2 to 16 characters, is needed")
    if settings.citizen_mail and not settings.mail_server:
        faults.append("citizen_mail: needs mail_server")
    return faults


def open_senders(settings: SenderSettings, clock: Clock) -> tuple[Sender, ...]:
    """The ways that ``settings`` describe; call :func:`sender_faults` and
    :func:`console.core.channels.channel_faults` before."""
    found: list[Sender] = []
    if settings.sms_url:
        gateway = Gateway(
            url=settings.sms_url,
            account=settings.sms_account,
            secret=settings.sms_secret,
            clock=clock,
        )
        found.append(SmsSender(gateway=gateway, sign=settings.sms_sign))
    if settings.push_url:
        gateway = Gateway(
            url=settings.push_url,
            account=settings.push_account,
            secret=settings.push_secret,
            clock=clock,
        )
        found.append(PushSender(gateway=gateway))
    if settings.citizen_mail:
        host, _, port = settings.mail_server.rpartition(":")
        server = MailServer(
            host=host,
            port=int(port),
            sender=settings.mail_from,
            security=settings.mail_security,
            user=settings.mail_user,
            password=settings.mail_password,
        )
        found.append(MailSender(server=server))
    return tuple(found)
