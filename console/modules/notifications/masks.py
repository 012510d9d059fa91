"""Addresses as staff may see them."""

import re
from collections.abc import Sequence

from console.modules.notifications.topics import Channel

_MAIL = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def is_mail(address: str) -> bool:
    """Whether a mail server would take it for an address at all."""
    return _MAIL.fullmatch(address) is not None


def masked_devices(tokens: Sequence[str]) -> str:
    """``***c3f4``, and how many more there are: ``***c3f4 +1``."""
    first = masked(Channel.PUSH, tokens[0]) if tokens else "***"
    return f"{first} +{len(tokens) - 1}" if len(tokens) > 1 else first


def masked(channel: Channel, address: str) -> str:
    """139****5678, z***@example.com; what is no phone or mail address shows its last four characters."""
    if channel is Channel.MAIL:
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}***@{domain}" if local and domain else "***"
    if channel is Channel.SMS and len(address) >= 11:
        return f"{address[:-8]}****{address[-4:]}"
    return f"***{address[-4:]}" if len(address) > 8 else "***"
