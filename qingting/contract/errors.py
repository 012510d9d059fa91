"""Error codes: stable words with a meaning, whose sentences live in ``errors.toml`` in both languages."""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from qingting.contract.base import Strict
from qingting.contract.states import Language


class ErrorText(Strict, frozen=True, kw_only=True):
    """One error code: HTTP ``status``, whether the same request may succeed later, and its sentences."""

    status: int
    retry: bool
    zh: str
    en: str


@cache
def error_texts() -> dict[str, ErrorText]:
    """All error codes of the system, from ``errors.toml``."""
    raw = tomllib.loads(files("qingting.contract").joinpath("errors.toml").read_text("utf-8"))
    return msgspec.convert(raw, dict[str, ErrorText])


class Refusal(Exception):  # noqa: N818 - the field's word; every error of ours is a refusal with a code
    """A refusal with a stable ``code`` and safe scalar ``params``; never a sentence, never personal data.

    Raises ``KeyError`` when the code is not in the catalogue, so that no untranslated code can exist.
    """

    def __init__(self, code: str, /, **params: str | int) -> None:
        self.text = error_texts()[code]
        self.code = code
        self.params = params
        super().__init__(code)

    @property
    def status(self) -> int:
        return self.text.status

    @property
    def told(self) -> dict[str, str | int]:
        """The parameters as they travel to whoever says the sentence elsewhere, in a language unknown here."""
        return self.params

    def again(self) -> "Refusal":
        """The same refusal for another receiver: exceptions collect tracebacks."""
        return Refusal(self.code, **self.params)

    def sentence(self, language: Language = Language.ZH) -> str:
        """What a person reads."""
        return sentence(self.code, self.params, language)


class _Blank(dict[str, str | int]):
    def __missing__(self, key: str) -> str:
        return "…"


def sentence(code: str, params: dict[str, str | int], language: Language = Language.ZH) -> str:
    """The catalogue's sentence for ``code``; a missing parameter shows as an ellipsis. In English ``name_en`` stands
    in for ``name``, where it is there, and so with any parameter."""
    text = error_texts().get(code) or error_texts()["internal"]
    if language is Language.ZH:
        return text.zh.format_map(_Blank(params))
    english = {key.removesuffix("_en"): one for key, one in params.items() if key.endswith("_en")}
    return text.en.format_map(_Blank({**params, **english}))


error_texts()  # Read at import: a lookup in an event loop must not open a file.
