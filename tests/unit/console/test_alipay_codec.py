"""Alipay's calls: what is signed, what is believed, what an answer means for a message."""

import base64
import hashlib
import json

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from console.core.delivering import DeliveryError
from console.core.senders.alipay import SINGLE_SEND, template_message
from console.core.senders.alipay_client import (
    AlipayClient,
    private_key,
    public_key,
    response_text,
    sign_content,
    verified,
)
from console.core.senders.opening import SenderSettings, sender_faults
from qingting.kernel.aio.clock import ManualClock
from simulators.messages import AlipayPlatform, MessagePlatform

OURS, THEIRS = (rsa.generate_private_key(65537, 2048) for _ in range(2))
CLIENT = AlipayClient(
    app_id="2021000", key=OURS, alipay_key=THEIRS.public_key(), clock=ManualClock(1_795_395_600_000)
)
OPEN_ID = "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5"


def answered(body: str) -> str:
    """An answer as Alipay signs it: over the raw text of its response."""
    digest = hashlib.sha256(body.encode()).digest()
    mac = THEIRS.sign(digest, padding.PKCS1v15(), Prehashed(SHA256()))
    return f'{{"alipay_open_public_message_single_send_response":{body},"sign":"{base64.b64encode(mac).decode()}"}}'


def test_all_but_the_empty_ones_and_the_signature_are_signed_in_the_order_of_their_names() -> None:
    params = {"b": "2", "sign": "x", "a": "1", "empty": "", "sign_type": "RSA2"}
    assert sign_content(params) == b"a=1&b=2&sign_type=RSA2"


def test_a_request_bears_the_citys_time_and_a_signature_that_its_key_made() -> None:
    content = template_message(OPEN_ID, "T1", "", "预约成功", {"keyword1": "11月23日 9:00"})
    params = CLIENT.request(SINGLE_SEND, {"biz_content": content})
    assert (params["timestamp"], params["sign_type"]) == ("2026-11-23 09:00:00", "RSA2")
    lines = "&".join(f"{k}={params[k]}" for k in sorted(params) if k != "sign")
    OURS.public_key().verify(
        base64.b64decode(params["sign"]), lines.encode(), padding.PKCS1v15(), SHA256()
    )


@pytest.mark.parametrize(
    ("to", "whom"), [(OPEN_ID, "to_open_id"), ("2088000000000015", "to_user_id")]
)
def test_a_new_apps_open_id_and_an_old_apps_user_id_go_under_their_own_names(
    to: str, whom: str
) -> None:
    content = json.loads(template_message(to, "T1", "", "看", {"keyword1": "9:00"}))
    assert content[whom] == to
    assert content["template"]["context"]["keyword1"]["value"] == "9:00"


def test_an_answer_is_believed_by_its_raw_text_and_not_when_a_letter_was_changed() -> None:
    raw = answered(r'{"code":"10000","msg":"Success \/ {ok}","message_id":"m-1"}')
    assert response_text(raw, SINGLE_SEND).startswith('{"code":"10000"')
    assert verified(raw, SINGLE_SEND, THEIRS.public_key())["message_id"] == "m-1"
    assert CLIENT.answered(SINGLE_SEND, raw)["message_id"] == "m-1"
    for broken in (raw.replace("m-1", "m-2"), "{}", "garbage", '{"error_response":'):
        with pytest.raises(DeliveryError) as refused:
            CLIENT.answered(SINGLE_SEND, broken)
        assert refused.value.unreachable
        assert not refused.value.lasting


@pytest.mark.parametrize(
    ("code", "sub", "lasting", "away"),
    [
        ("40004", "PUB.USER_NOT_FOLLOW", True, False),
        ("40004", "PUB.MSG_BATCH_SD_OVER", False, False),
        ("40002", "isv.invalid-signature", False, True),
        ("20000", "isp.unknow-error", False, True),
    ],
)
def test_a_refusal_is_about_the_message_or_about_the_channel(
    code: str, sub: str, lasting: bool, away: bool
) -> None:
    body = json.dumps({"code": code, "sub_code": sub})
    with pytest.raises(DeliveryError) as refused:
        CLIENT.answered(SINGLE_SEND, answered(body))
    assert (refused.value.lasting, refused.value.unreachable) == (lasting, away)


def test_keys_are_taken_as_alipays_tool_gives_them_and_the_citys_own_one_is_no_answer() -> None:
    alipay = AlipayPlatform(MessagePlatform("daqing", "x" * 16))
    pem = f"-----BEGIN PUBLIC KEY-----\n{alipay.alipay_key}\n-----END PUBLIC KEY-----\n"
    assert public_key(pem) == public_key(alipay.alipay_key)
    settings = SenderSettings(
        alipay_app_id="1", alipay_key=alipay.city_key, alipay_public_key=alipay.alipay_key
    )
    assert sender_faults(settings) == []
    own = private_key(alipay.city_key).public_key()
    der = own.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    swapped = msgspec.structs.replace(settings, alipay_public_key=base64.b64encode(der).decode())
    assert "is the city's own" in sender_faults(swapped)[0]
    broken = msgspec.structs.replace(
        settings, alipay_key="no key", alipay_public_key="", alipay_gateway="http://elsewhere"
    )
    assert [one.split(":")[0] for one in sender_faults(broken)] == [
        "alipay_gateway",
        "alipay_key",
        "alipay_public_key",
    ]
