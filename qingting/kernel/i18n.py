"""Texts of server-rendered pages: flat JSON catalogues per package, one file a language, Chinese first."""

import json
from collections.abc import Mapping
from importlib.resources import files

from qingting.contract.states import Language


class Catalogue:
    """Texts by key. A missing key raises, so that no page shows a key or the wrong language."""

    def __init__(self, texts: Mapping[Language, Mapping[str, str]]) -> None:
        self._texts = texts
        missing = set(texts[Language.ZH]) ^ set(texts[Language.EN])
        if missing:
            raise LookupError(f"texts without a twin in the other language: {sorted(missing)}")

    @classmethod
    def load(cls, *packages: str) -> "Catalogue":
        """Merges ``locale/zh-CN.json`` and ``locale/en.json`` of each package, later ones winning."""
        texts: dict[Language, dict[str, str]] = {language: {} for language in Language}
        for package in packages:
            for language in Language:
                source = files(package).joinpath("locale", f"{language.value}.json")
                texts[language].update(json.loads(source.read_text("utf-8")))
        return cls(texts)

    def has(self, key: str) -> bool:
        return key in self._texts[Language.ZH]

    def text(self, language: Language, key: str, /, **params: object) -> str:
        return self._texts[language][key].format(**params)


def pick_language(cookie: str | None, query: str | None = None) -> Language:
    """Chosen by ``?lang=`` or the cookie; Chinese otherwise, whatever the browser prefers."""
    for wanted in (query, cookie):
        if wanted in {"en", "en-US", "en-GB"}:
            return Language.EN
        if wanted in {"zh", "zh-CN"}:
            return Language.ZH
    return Language.ZH


def prefers(accept_language: str) -> Language:
    """What a browser asks for in its ``Accept-Language``; Chinese when it names neither language."""
    best, chosen = 0.0, Language.ZH
    for part in accept_language.split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            wish = float(weight or 1)
        except ValueError:
            continue
        language = {"zh": Language.ZH, "en": Language.EN}.get(name.partition("-")[0].lower())
        if language is not None and wish > best:
            best, chosen = wish, language
    return chosen
