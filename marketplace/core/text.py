"""A text in the two languages of the product, and which of them somebody reads."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Language = Literal["zh", "en"]


class Text(NamedTuple):
    """The same text in Chinese and in English."""

    zh: str
    en: str

    def in_language(self, code: str) -> str:
        """The text in that language; in the other one where it is blank. Any code but `en` means Chinese."""
        return (self.en or self.zh) if code == "en" else (self.zh or self.en)

    @classmethod
    def of(cls, names: Mapping[str, Any]) -> Text:
        """From the form in which JSON holds it, `{"zh": …, "en": …}`; what is missing is blank."""
        return cls(str(names.get("zh") or ""), str(names.get("en") or ""))


def language_of(choice: str | None) -> Language:
    """The language to write to a customer in: her choice, Chinese without one."""
    return "en" if (choice or "zh").lower().startswith("en") else "zh"


def opening(text: str) -> str:
    """`text` as a sentence begins: its first letter is a capital."""
    return text[:1].upper() + text[1:]


def without_invisible(text: str) -> str:
    """What was typed or pasted in its plain form (NFKC), without format characters (Unicode category Cf): contacts and
    chats wrap numbers in marks of direction, zero-width spaces, word joiners and byte order marks."""
    return "".join(each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) != "Cf")


def masked_name(name: str) -> str:
    """`沈*宜` is still a name: only its first character stays, `沈**`, `J***`."""
    return f"{name[:1]}{'*' * min(3, max(1, len(name) - 1))}"
