"""The words of every refusal. A new subject is a file beside this one and a name in SUBJECTS; a test finds one that is
missing here, and a code that two subjects have."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from marketplace.refusal_words import (
    accounts,
    answering,
    benefits,
    booking,
    consultations,
    escorts,
    family,
    operators,
    providers,
    reports,
    requests,
)
from marketplace.refusal_words.words import Words

SUBJECTS: tuple[ModuleType, ...] = (
    accounts,
    answering,
    benefits,
    booking,
    consultations,
    escorts,
    family,
    operators,
    providers,
    reports,
    requests,
)

WORDS: Mapping[str, Words] = {code: words for subject in SUBJECTS for code, words in subject.WORDS.items()}
"""Code of a refusal, or of an HTTP error, to its words. `code.variant` is a finer sentence for some facts."""
