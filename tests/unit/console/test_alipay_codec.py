"""Alipay's calls: what is signed, what is believed, what an answer means for a message."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from console.core.delivering import DeliveryError
from console.core.senders.alipay import AlipaySender, response_text, sign_content, verified
from console.core.senders.port import Letter
from qingting.kernel.aio.clock import ManualClock

OURS, THEIRS = (rsa.generate_private_key(65537, 2048) for _ in range(2))
METHOD = "alipay.open.public.message.single.send"
SENDER = AlipaySender(
    app_id="2021000", key=OURS, alipay_key=THEIRS.public_key(), clock=ManualClock(1_795_395_600_000)
)
LETTER = Letter(
    id="n1-alipay", to="074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5", title="预约成功",
    text="11月23日 9:00", at=1, template="T1", link="https://city.example/c/bookings",
)  # fmt: skip


def answered(body: str) -> str:
    """An answer as Alipay signs it: over the raw text of its response."""
    digest = hashlib.sha256(body.encode()).digest()
    mac = THEIRS.sign(digest, padding.PKCS1v15(), Prehashed(SHA256()))
    return f'{{"alipay_open_public_message_single_send_response":{body},"sign":"{base64.b64encode(mac).decode()}"}}'


def test_all_but_the_empty_ones_and_the_signature_are_signed_in_the_order_of_their_names() -> None:
    params = {"b": "2", "sign": "x", "a": "1", "empty": "", "sign_type": "RSA2"}
    assert sign_content(params) == b"a=1&b=2&sign_type=RSA2"


def test_a_request_bears_the_citys_time_and_a_signature_that_its_key_made() -> None:
    params = SENDER.request(LETTER)
    assert (params["timestamp"], params["sign_type"]) == ("2026-11-23 09:00:00", "RSA2")
    lines = "&".join(f"{k}={params[k]}" for k in sorted(params) if k != "sign")
    OURS.public_key().verify(
        base64.b64decode(params["sign"]), lines.encode(), padding.PKCS1v15(), SHA256()
    )
    content = json.loads(params["biz_content"])
    assert content["to_open_id"] == LETTER.to
    assert content["template"]["context"]["keyword1"]["value"] == "11月23日 9:00"


def test_an_answer_is_believed_by_its_raw_text_and_not_when_a_letter_was_changed() -> None:
    raw = answered(r'{"code":"10000","msg":"Success \/ {ok}","message_id":"m-1"}')
    assert response_text(raw, METHOD).startswith('{"code":"10000"')
    assert verified(raw, METHOD, THEIRS.public_key())["message_id"] == "m-1"
    assert SENDER.taken(raw, LETTER).reference == "m-1"
    for broken in (raw.replace("m-1", "m-2"), "{}", "garbage", '{"error_response":'):
        with pytest.raises(DeliveryError) as refused:
            SENDER.taken(broken, LETTER)
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
        SENDER.taken(answered(body), LETTER)
    assert (refused.value.lasting, refused.value.unreachable) == (lasting, away)
