"""Where the systems outside are that the city asks. Settings; a secret never leaves them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSystemSettings:
    """The city's item system (市政务服务事项管理系统). ``url`` empty: there is none. ``auth`` is ``signed`` or
    ``token``; for a token, ``secret`` is the token and ``key`` is not needed."""

    url: str = ""
    key: str = ""
    secret: str = ""
    auth: str = "signed"

    def faults(self) -> list[str]:
        """What keeps it from being asked."""
        if not self.url:
            return []
        found = []
        if not self.url.startswith(("https://", "http://")):
            found.append("item_system_url: an address that begins with https:// is expected")
        if self.auth not in ("signed", "token"):
            found.append("item_system_auth: signed or token is expected")
        if len(self.secret) < 16:
            found.append("item_system_secret: at least 16 characters are needed")
        if self.auth == "signed" and not self.key:
            found.append("item_system_key: needed to sign")
        return found
