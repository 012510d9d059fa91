"""The form of a receiver of alarms."""

import msgspec

from console.modules.alarms.receivers import HeldReceiver, Receiver
from qingting.contract.base import Strict
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId


class ReceiverFields(Strict, frozen=True, kw_only=True):
    """A receiver as its page has it; ``mails`` has one address a line."""

    id: str = ""
    version: int | None = None
    name: str = ""
    name_en: str = ""
    halls: tuple[HallId, ...] = ()
    divisions: tuple[str, ...] = ()
    least: Severity = Severity.WARNING
    after_minutes: int = 0
    quiet_from: str = ""
    quiet_until: str = ""
    quiet_least: Severity = Severity.CRITICAL
    mails: str = ""
    webhook: str = ""
    enabled: bool = False

    @classmethod
    def of(cls, held: HeldReceiver) -> "ReceiverFields":
        values = msgspec.structs.asdict(held.receiver)
        return cls(**values | {"version": held.version, "mails": "\n".join(held.receiver.mails)})

    def without_addresses(self) -> "ReceiverFields":
        return msgspec.structs.replace(self, mails="", webhook="")

    def receiver(self) -> Receiver:
        """Raises ``form.invalid`` naming the field, ``receiver.quiet``."""
        values = msgspec.to_builtins(self)
        del values["version"]
        values["mails"] = [one.strip() for one in self.mails.splitlines() if one.strip()]
        values["webhook"] = self.webhook.strip()
        if not self.name.strip():
            raise Refusal("form.invalid", field="name")
        try:
            return msgspec.convert(values, Receiver)
        except msgspec.ValidationError as error:
            message = str(error)
            if "`$.quiet_" in message:
                raise Refusal("receiver.quiet") from error
            field = message.split("`$.", 1)[1].split("`", 1)[0] if "`$." in message else "?"
            raise Refusal("form.invalid", field=field) from error
