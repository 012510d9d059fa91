"""Settings of the ways to citizens, and what they open."""

from urllib.parse import urlsplit

from console.core.channels import ChannelSettings
from console.core.mailing import MailServer
from console.core.senders.alipay import AlipaySender
from console.core.senders.alipay_client import (
    AUTHORIZE,
    GATEWAY,
    AlipayClient,
    private_key,
    public_key,
)
from console.core.senders.gateways import MailSender, PushSender, SmsSender
from console.core.senders.port import Sender
from console.core.senders.signing import Gateway
from qingting.kernel.aio.clock import Clock

LEAST_SECRET = 16


class SenderSettings(ChannelSettings, frozen=True, kw_only=True):
    """``sms_url`` and ``push_url`` are where the providers' paths begin, with account and secret; empty: there is no
    such way. Citizens get mail when ``citizen_mail`` is set, by the mail server of the alarms. ``alipay_app_id`` empty: no
    Alipay; ``alipay_key`` is the city's own private key, ``alipay_public_key`` that of Alipay, which its console shows."""

    sms_url: str = ""
    sms_account: str = ""
    sms_secret: str = ""
    sms_sign: str = ""
    push_url: str = ""
    push_account: str = ""
    push_secret: str = ""
    citizen_mail: bool = False
    alipay_app_id: str = ""
    alipay_key: str = ""
    alipay_public_key: str = ""
    alipay_gateway: str = GATEWAY
    alipay_authorize: str = AUTHORIZE


def sender_faults(settings: SenderSettings) -> list[str]:
    """What is wrong with the settings, one English line each."""
    faults = []
    for way, url, account, secret in (
        ("sms", settings.sms_url, settings.sms_account, settings.sms_secret),
        ("push", settings.push_url, settings.push_account, settings.push_secret),
    ):
        if not url:
            continue
        faults += _address_faults(f"{way}_url", url)
        if not account:
            faults.append(f"{way}_account: needed with {way}_url")
        if len(secret) < LEAST_SECRET:
            faults.append(f"{way}_secret: at least {LEAST_SECRET} characters are needed to sign")
    if settings.sms_url and not 2 <= len(settings.sms_sign) <= 16:
        faults.append("sms_sign: the approved signature, 2 to 16 characters, is needed")
    if settings.citizen_mail and not settings.mail_server:
        faults.append("citizen_mail: needs mail_server")
    return faults + _alipay_faults(settings)


def _address_faults(name: str, url: str) -> list[str]:
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
    return [] if parts.scheme == "https" or local else [f"{name}: must begin with https://"]


def _alipay_faults(settings: SenderSettings) -> list[str]:
    if not settings.alipay_app_id:
        return []
    faults = _address_faults("alipay_gateway", settings.alipay_gateway)
    faults += _address_faults("alipay_authorize", settings.alipay_authorize)
    own = theirs = None
    try:
        own = private_key(settings.alipay_key).public_key()
    except ValueError:
        faults.append("alipay_key: an RSA private key of at least 2048 bits is expected")
    try:
        theirs = public_key(settings.alipay_public_key)
    except ValueError:
        faults.append("alipay_public_key: an RSA public key of at least 2048 bits is expected")
    if own is not None and own == theirs:
        faults.append("alipay_public_key: is the city's own; Alipay's is expected")
    return faults


def open_alipay(settings: SenderSettings, clock: Clock) -> AlipayClient:
    """The client of Alipay that ``settings`` describe; call :func:`sender_faults` before."""
    return AlipayClient(
        app_id=settings.alipay_app_id,
        key=private_key(settings.alipay_key),
        alipay_key=public_key(settings.alipay_public_key),
        clock=clock,
        gateway=settings.alipay_gateway,
        authorize=settings.alipay_authorize,
    )


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
    if settings.alipay_app_id:
        found.append(AlipaySender(client=open_alipay(settings, clock)))
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
