"""Settings of the console, from a file and the environment."""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import msgspec

from console.core.channels import channel_faults
from console.core.citizen_options import (
    ADDRESS_PER_MINUTE,
    BROWSER_PER_MINUTE,
    CitizenOptions,
    Serve,
)
from console.core.oidc import OidcProvider, SignOn, sign_on_faults
from console.core.outside import ItemSystemSettings
from console.core.retention import (
    KEEP_ALARMS_DAYS,
    KEEP_BOOKINGS_DAYS,
    KEEP_DEVICES_DAYS,
    KEEP_MESSAGES_DAYS,
    KEEP_NOTICES_DAYS,
    KEEP_VISITS_DAYS,
    BookingDays,
    Days,
    RetentionSettings,
)
from console.core.senders.opening import sender_faults
from console.core.upkeep import UpkeepOptions
from qingting.kernel.settings import SettingsError, load_settings

Amount = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class ConsoleSettings(UpkeepOptions, frozen=True, kw_only=True):
    """Settings of the console, with those of its channels. ``data`` is the folder of the embedded PostgreSQL, which is used when
    ``database_url`` is empty. ``secure_cookies`` belongs to a console behind TLS. ``metrics_token`` opens
    ``/metrics`` to who knows it; empty, only this machine may ask. ``seal_keys`` is the key file of sealed personal
    data, ``seal.keys`` in ``data`` unless it is named; all consoles of one database use copies of one file. ``audit_heads`` is the file that signed ends of the audit are added to, ``audit.heads`` in ``data`` unless
    it is named. ``keep_…_days``: see
    :class:`console.core.retention.RetentionSettings`. ``oidc_…`` is the provider of single sign-on for staff,
    ``citizen_oidc_…`` that for citizens; ``oidc_strong`` are the values of ``acr``, parted by commas, that mean two factors.
    ``backup_…``, ``drill_days`` and ``certificate_file``: see :class:`console.core.upkeep.UpkeepOptions`.
    ``public_url`` is what browsers call the console by. ``item_system_…`` is the city's item system. ``serve`` and ``citizen_…`` otherwise: see
    :mod:`console.core.citizen_options`."""

    data: str = "data/city"
    host: str = "127.0.0.1"
    port: int = 8200
    database_url: str = ""
    place: str = "大庆市"
    place_en: str = "Daqing "
    utc_offset_minutes: int = 480
    secure_cookies: bool = False
    metrics_token: str = ""
    seal_keys: str = ""
    audit_heads: str = ""
    item_system_url: str = ""
    item_system_key: str = ""
    item_system_secret: str = ""
    item_system_auth: str = "signed"
    keep_alarms_days: Days = KEEP_ALARMS_DAYS
    keep_notices_days: Days = KEEP_NOTICES_DAYS
    keep_devices_days: Days = KEEP_DEVICES_DAYS
    keep_messages_days: Days = KEEP_MESSAGES_DAYS
    keep_visits_days: Days = KEEP_VISITS_DAYS
    keep_bookings_days: BookingDays = KEEP_BOOKINGS_DAYS
    serve: Serve = "all"
    citizen_map_url: str = ""
    citizen_address_per_minute: Amount = ADDRESS_PER_MINUTE
    citizen_browser_per_minute: Amount = BROWSER_PER_MINUTE
    public_url: str = ""
    proxies: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_scope: str = "openid profile"
    oidc_strong: str = ""
    citizen_oidc_issuer: str = ""
    citizen_oidc_client_id: str = ""
    citizen_oidc_client_secret: str = ""
    citizen_oidc_scope: str = "openid profile phone"

    @property
    def citizens(self) -> CitizenOptions:
        return CitizenOptions(
            map_url=self.citizen_map_url,
            address_per_minute=self.citizen_address_per_minute,
            browser_per_minute=self.citizen_browser_per_minute,
        )

    @property
    def proxy_addresses(self) -> frozenset[str]:
        return frozenset(one.strip() for one in self.proxies.split(",") if one.strip())

    @property
    def sign_on(self) -> SignOn:
        return SignOn(
            staff=OidcProvider(
                issuer=self.oidc_issuer,
                client_id=self.oidc_client_id,
                client_secret=self.oidc_client_secret,
                scope=self.oidc_scope,
                strong_classes=tuple(filter(None, map(str.strip, self.oidc_strong.split(",")))),
            ),
            citizens=OidcProvider(
                issuer=self.citizen_oidc_issuer,
                client_id=self.citizen_oidc_client_id,
                client_secret=self.citizen_oidc_client_secret,
                scope=self.citizen_oidc_scope,
            ),
            public_url=self.public_url,
        )

    @property
    def key_path(self) -> Path:
        return Path(self.seal_keys) if self.seal_keys else Path(self.data) / "seal.keys"

    @property
    def heads_path(self) -> Path:
        return Path(self.audit_heads) if self.audit_heads else Path(self.data) / "audit.heads"

    @property
    def item_system(self) -> ItemSystemSettings:
        return ItemSystemSettings(
            url=self.item_system_url,
            key=self.item_system_key,
            secret=self.item_system_secret,
            auth=self.item_system_auth,
        )

    @property
    def retention(self) -> RetentionSettings:
        return RetentionSettings(
            keep_alarms_days=self.keep_alarms_days,
            keep_notices_days=self.keep_notices_days,
            keep_devices_days=self.keep_devices_days,
            keep_messages_days=self.keep_messages_days,
            keep_visits_days=self.keep_visits_days,
            keep_bookings_days=self.keep_bookings_days,
        )


def load_console_settings(file: Path | None, environ: Mapping[str, str]) -> ConsoleSettings:
    """From ``file`` and the environment; the usual ``DATABASE_URL`` counts as well as ours.

    Raises :class:`qingting.kernel.settings.SettingsError` with all faults.
    """
    known = dict(environ)
    if url := known.get("DATABASE_URL"):
        known.setdefault("QINGTING_DATABASE_URL", url)
    settings = load_settings(ConsoleSettings, file=file, environ=known)
    faults = [*wire_faults(settings), *channel_faults(settings), *sender_faults(settings)]
    if faults := [*faults, *sign_on_faults(settings.sign_on), *settings.item_system.faults()]:
        raise SettingsError(faults)
    return settings


def wire_faults(settings: ConsoleSettings) -> list[str]:
    """A console that listens for other machines stands behind TLS; passwords would be readable otherwise."""
    try:
        here = ip_address(settings.host).is_loopback
    except ValueError:
        here = settings.host == "localhost"
    if here or settings.secure_cookies:
        return []
    return [
        "host: others can reach it; put TLS in front and set secure_cookies = true, or listen on 127.0.0.1"
    ]
