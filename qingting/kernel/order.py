"""Orders in which people look for things."""

import re


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which 2号窗口 comes before 10号窗口.

    >>> natural("2号") < natural("10号")
    True
    """
    parts = re.findall(r"\d+|\D+", text)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)
