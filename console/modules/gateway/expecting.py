"""What a field must be, in the caller's language: the validator's English words become sentences of the catalogue."""

import re
from typing import NamedTuple

from qingting.contract.errors import sentence
from qingting.contract.states import Language

LONGEST = 120
"""Of what a message repeats out of the request."""


class Expected(NamedTuple):
    """A sentence of ``errors.toml`` with its parameters."""

    code: str
    params: dict[str, str | int]

    def sentence(self, language: Language) -> str:
        """What people read."""
        return sentence(self.code, self.params, language)


_KIND = r"Expected `(?P<kind>[^`]+)`"
_RULES = [
    (re.compile(pattern, re.DOTALL), code)
    for pattern, code in (
        (_KIND + r", got `(?P<got>[^`]+)`", "api.expected.kind"),
        (_KIND + r" (?P<bound>[<>]=? \S+)", "api.expected.bound"),
        (_KIND + r" of length (?P<bound>[<>]=? \d+)", "api.expected.length"),
        (_KIND + r" of length (?P<bound>\d+), got (?P<got>\d+)", "api.expected.length_is"),
        (_KIND + r" matching regex '(?P<pattern>.*)'", "api.expected.pattern"),
        (r"Object missing required field `(?P<name>[^`]+)`", "api.expected.missing"),
        (r"Object contains unknown field `(?P<name>[^`]+)`", "api.expected.unknown"),
        (r"Invalid (?:enum )?value '?(?P<value>.*?)'?", "api.expected.choice"),
        (r"Invalid RFC3339 encoded (?P<kind>\w+)", "api.expected.format"),
    )
]
ONCE = Expected("api.expected.once", {})


def of_message(message: str) -> Expected:
    """Of what msgspec says without the place; what no rule knows points to the documentation."""
    for pattern, code in _RULES:
        if found := pattern.fullmatch(message):
            return Expected(code, {name: _shown(text) for name, text in found.groupdict().items()})
    return Expected("api.expected.documented", {})


def _shown(text: str) -> str:
    return "".join(one for one in text[:LONGEST] if one.isprintable())
