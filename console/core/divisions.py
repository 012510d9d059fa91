"""Codes of divisions (区划代码): as they are kept, and those that they are within."""


def full(code: str) -> str:
    """A code of 6 or 9 digits with the zeros that make it twelve."""
    return code.ljust(12, "0")


def division_chain(code: str) -> tuple[str, ...]:
    """A division's code and those it is within, from the city down, all with twelve digits: ``230602`` → city,
    district. Empty for what is no code."""
    padded = full(code)
    if not (padded.isascii() and padded.isdecimal() and len(padded) == 12):
        return ()
    steps = (padded[:4], padded[:6], padded[:9], padded)
    return tuple(dict.fromkeys(full(one) for one in steps))
