"""TLS of a hall server: pads keep their program and their screen on in a secure context only."""

import ssl
from pathlib import Path

from hallserver.app.settings import HallSettings
from qingting.kernel.settings import SettingsError


def server_context(settings: HallSettings) -> ssl.SSLContext | None:
    """What the TLS port presents; None without a certificate. Reads files.

    Raises ``SettingsError`` when certificate or key cannot be read or do not belong together.
    """
    if not settings.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(Path(settings.tls_cert), Path(settings.tls_key))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError([f"tls_cert, tls_key: {error}"]) from error
    return context
