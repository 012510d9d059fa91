"""The hall speaks TLS to its pads beside plain http to phones, with a certificate of its own."""

import asyncio
import datetime
import socket
import ssl
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from patience import until

from hallserver.app.server import run_hall
from hallserver.app.settings import HallSettings, hall_faults
from hallserver.app.tls import server_context
from qingting.kernel.settings import SettingsError


def certificate(folder: Path, name: str = "hall") -> tuple[str, str]:
    """A self-made certificate of this machine, as the operators' page makes one."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(cert_file), str(key_file)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def test_pads_reach_the_hall_by_https_and_phones_by_http(tmp_path: Path) -> None:
    cert, key = await asyncio.to_thread(certificate, tmp_path)
    settings = HallSettings(
        data=str(tmp_path / "data"),
        port=free_port(),
        tls_port=free_port(),
        tls_cert=cert,
        tls_key=key,
        voice_bank="",
        speech_program="",
    )
    running = asyncio.create_task(run_hall(settings))
    trusted = await asyncio.to_thread(ssl.create_default_context, cafile=cert)

    async def healthy(url: str) -> bool:
        assert not running.done(), running
        try:
            async with aiohttp.request("GET", f"{url}/healthz", ssl=trusted) as answer:
                return answer.status == 200
        except aiohttp.ClientConnectorError:
            return False

    try:
        await until(lambda: healthy(settings.public_url))
        await until(lambda: healthy(settings.screens_url))
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def test_a_certificate_that_is_none_or_not_of_this_key_stops_the_start(tmp_path: Path) -> None:
    cert, _ = certificate(tmp_path)
    _, other = certificate(tmp_path, "other")
    for key in (other, str(tmp_path / "missing.key")):
        with pytest.raises(SettingsError, match="tls_cert, tls_key"):
            server_context(HallSettings(tls_cert=cert, tls_key=key))
    assert server_context(HallSettings()) is None
    assert hall_faults(HallSettings(tls_cert=cert)) == ["tls_cert: given without tls_key"]


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (HallSettings(base_url="http://10.0.0.5:8080"), "http://10.0.0.5:8080"),
        (
            HallSettings(base_url="http://10.0.0.5:8080", tls_cert="c", tls_key="k"),
            "https://10.0.0.5:8443",
        ),
        (
            HallSettings(base_url="http://[fd00::5]", tls_cert="c", tls_key="k", tls_port=443),
            "https://[fd00::5]:443",
        ),
    ],
)
def test_pads_are_told_the_address_that_keeps_their_program(
    settings: HallSettings, url: str
) -> None:
    assert settings.screens_url == url
