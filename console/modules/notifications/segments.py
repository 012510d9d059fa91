"""Length and billing of SMS (短信计费): 70 characters are one message; a longer one is sent and billed in segments
of 67, the signature counted in. Characters outside the basic plane (emoji, 𠮷) take two."""

SINGLE, EACH = 70, 67


def length(text: str) -> int:
    """In the units that providers bill: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def signed(sign: str, text: str) -> str:
    """As it arrives: 【签名】 in front."""
    return f"【{sign}】{text}" if sign else text


def segments(text: str) -> int:
    """How many are billed for ``text``, its signature included; nothing is none."""
    units = length(text)
    if units <= SINGLE:
        return 1 if units else 0
    return -(-units // EACH)
