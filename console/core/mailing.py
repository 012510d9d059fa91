"""Mail by SMTP (RFC 5321): one mail, one try."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from console.core.delivering import SEND_SECONDS, DeliveryError


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """``security``: ``tls`` from the first byte, ``starttls``, or ``none`` for a relay on this machine."""

    host: str
    port: int
    sender: str
    security: str = "starttls"
    user: str = ""
    password: str = ""

    def mail(self, receivers: tuple[str, ...], *, id: str, at: int, title: str, text: str) -> EmailMessage:  # noqa: A002  # fmt: skip
        """``id`` is the same at every try, so that a receiver can know a repetition."""
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, ", ".join(receivers)
        mail["Subject"] = " ".join(title.split())
        mail["Date"] = format_datetime(datetime.fromtimestamp(at / 1000, UTC))
        mail["Message-ID"] = f"<{id}@{self.sender.rpartition('@')[2] or 'qingting'}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        return mail

    async def post(self, mail: EmailMessage) -> None:
        """Returns when the server has taken it for all receivers; raises :class:`DeliveryError`."""
        # smtplib waits for the network: it gets a thread, and its own deadline ends it.
        await asyncio.to_thread(self._post, mail)

    def _post(self, mail: EmailMessage) -> None:
        try:
            with self._connect() as smtp:
                if self.user:
                    smtp.login(self.user, self.password)
                refused = smtp.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            reason = f"SMTP {max(codes)}"
            raise DeliveryError(reason, lasting=all(one >= 500 for one in codes)) from error
        except smtplib.SMTPAuthenticationError as error:
            raise DeliveryError(
                f"SMTP {error.smtp_code}", lasting=error.smtp_code >= 500, unreachable=True
            ) from error
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(
                f"SMTP {error.smtp_code}", lasting=error.smtp_code >= 500
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryError(type(error).__name__, unreachable=True) from error
        if refused:
            raise DeliveryError(f"{len(refused)} receivers refused", lasting=True)

    def _connect(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SEND_SECONDS, context=context)
        smtp = smtplib.SMTP(self.host, self.port, timeout=SEND_SECONDS)
        if self.security == "starttls":
            try:
                _ = smtp.starttls(context=ssl.create_default_context())
            except BaseException:
                smtp.close()
                raise
        return smtp
