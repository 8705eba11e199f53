"""The pages' own words in both languages; words of the policy and of errors come as `Text`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

LANGUAGES = ("ja", "en")
"""Japanese first: it is what a browser gets that has not chosen."""

_FOLDER = Path(__file__).parent / "i18n"
_FOR_SCRIPTS = "live."
"""Keys under this prefix are also given to the pages' scripts."""


class Texts:
    """One language's catalogue, flattened: ``[floor] title`` is ``floor.title``."""

    def __init__(self, language: str) -> None:
        self.language = language
        with (_FOLDER / f"{language}.toml").open("rb") as file:
            self._texts = _flat(tomllib.load(file))

    def __call__(self, key: str, **values: object) -> str:
        """Return the text with `values` filled in; raise `KeyError` for a key that is not in the catalogue."""
        text = self._texts[key]
        return text.format(**values) if values else text

    @property
    def keys(self) -> frozenset[str]:
        """All keys of the catalogue."""
        return frozenset(self._texts)

    def for_scripts(self) -> dict[str, str]:
        """Return what the scripts of the pages need."""
        return {key: text for key, text in self._texts.items() if key.startswith(_FOR_SCRIPTS)}


def catalogues() -> dict[str, Texts]:
    """Read the catalogues of all languages."""
    return {language: Texts(language) for language in LANGUAGES}


def _flat(table: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            texts |= _flat(value, f"{prefix}{key}.")
        else:
            texts[prefix + key] = str(value)
    return texts
