"""Settings of a hall server; see :mod:`qingting.kernel.settings` for where they come from."""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from qingting.contract.base import Strict
from qingting.kernel.settings import SettingsError, load_settings


class HallSettings(Strict, frozen=True, kw_only=True):
    """``data`` holds the database and, unless ``seal_keys`` says otherwise, the key file.

    ``base_url`` is how phones and agents reach this server; it is printed into QR codes. ``config``
    is a hall configuration file, put in force when it is newer. ``city_url`` (``ws(s)://…``) and
    ``hall_key`` (or ``hall_key_file``) link the hall to its city; without them the hall is alone.
    ``secure_cookies`` is for a server behind https. ``voice_bank`` is the folder of the clip bank with
    which boards speak; ``auto`` keeps it below ``data`` and makes it when it is missing, empty speaks
    without one. ``speech_program`` says words that no bank has: ``auto`` is the synthesiser that comes
    with the product, else a program such as ``espeak-ng``; empty means none.
    With ``tls_cert`` and ``tls_key`` (PEM files) the server listens on ``tls_port`` with TLS too, which is how
    pads should reach it; phones, which trust no certificate of the hall's own, keep ``port``.
    ``build`` names a program of one's own making; without it the city is told the version.
    ``proxies`` are the addresses, parted by commas, of reverse proxies in front of this server: only
    from these is it believed on whose behalf a request comes. ``metrics_token`` opens ``/metrics`` to who
    knows it; empty, only this machine may ask.
    ``first_password``: each start prints a one-time password until a manager has one of their own; a demonstration
    hands out its own. ``citizen_code_url`` is the platform that resolves citizen codes (市民码) scanned at kiosks, with the
    ``citizen_code_key`` and ``citizen_code_secret`` (or ``citizen_code_secret_file``) that it gave to this
    hall; an answer that takes longer than ``citizen_code_seconds`` is not waited for.
    ``backup_folder`` gets a backup of the hall each day from the hall's hour ``backup_hour`` on, of which ``backup_keep``
    stay: ``auto`` is a folder below ``data``, on the same disk; empty makes none.
    """

    data: str = "data/hall"
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    base_url: str = ""
    config: str = ""
    city_url: str = ""
    hall_key: str = ""
    seal_keys: str = ""
    secure_cookies: bool = False
    build: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8443
    voice_bank: str = "auto"
    speech_program: str = "auto"
    proxies: str = ""
    metrics_token: str = ""
    first_password: bool = True
    citizen_code_url: str = ""
    citizen_code_key: str = ""
    citizen_code_secret: str = ""
    citizen_code_seconds: Annotated[float, msgspec.Meta(ge=0.2, le=10)] = 2.0
    backup_folder: str = "auto"
    backup_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 2
    backup_keep: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 14

    @property
    def database(self) -> Path:
        return Path(self.data) / "hall.db"

    @property
    def backups(self) -> Path | None:
        """Where the day's backup goes; None: nowhere."""
        if self.backup_folder == "auto":
            return Path(self.data) / "backups"
        return Path(self.backup_folder) if self.backup_folder else None

    @property
    def key_path(self) -> Path:
        return Path(self.seal_keys) if self.seal_keys else Path(self.data) / "seal.keys"

    @property
    def public_url(self) -> str:
        """``base_url``, or the address that the server listens on."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def screens_url(self) -> str:
        """Where pads and boards open their pages: the TLS port where there is one."""
        if not self.tls_cert:
            return self.public_url
        host = urlsplit(self.public_url).hostname or self.host
        return f"https://{f'[{host}]' if ':' in host else host}:{self.tls_port}"

    @property
    def phones_reach_it(self) -> bool:
        """False when the server listens for others, yet its QR codes name this machine only."""
        return _only_here(self.host, listening=True) or not _only_here(
            urlsplit(self.public_url).hostname or "", listening=False
        )

    @property
    def proxy_addresses(self) -> frozenset[str]:
        return frozenset(one.strip() for one in self.proxies.split(",") if one.strip())


def hall_faults(settings: HallSettings) -> list[str]:
    """Faults between settings, one English line each."""
    faults = _code_faults(settings)
    for one, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if getattr(settings, one) and not getattr(settings, other):
            faults.append(f"{one}: given without {other}")
    return faults


def _code_faults(settings: HallSettings) -> list[str]:
    """A citizen's name and number travel from the platform of
    citizen codes, so it must be behind https unless it is on this machine."""
    url, key = settings.citizen_code_url, settings.citizen_code_key
    if not url:
        given = {"citizen_code_key": key, "citizen_code_secret": settings.citizen_code_secret}
        return [f"{one}: given without citizen_code_url" for one, value in given.items() if value]
    faults = []
    parts = urlsplit(url)
    here = _only_here(parts.hostname or "", listening=True)
    if not parts.hostname or parts.scheme not in ("http", "https") or parts.query or parts.username:
        faults.append("citizen_code_url: expected https://host/path")
    elif parts.scheme == "http" and not here:
        faults.append("citizen_code_url: must be https (http is for this machine only)")
    if not key:
        faults.append("citizen_code_key: missing")
    if not settings.citizen_code_secret:
        faults.append("citizen_code_secret: missing")
    return faults


def load_hall_settings(file: Path | None, environ: Mapping[str, str]) -> HallSettings:
    """Settings from a TOML file and ``QINGTING_…``; raises ``SettingsError`` with all faults."""
    settings = load_settings(HallSettings, file=file, environ=environ)
    if faults := hall_faults(settings):
        raise SettingsError(faults)
    return settings


def _only_here(host: str, *, listening: bool) -> bool:
    """Loopback; as an address to call, "any" leads nowhere either."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or (address.is_unspecified and not listening)
