"""The unified social credit code of an organisation in mainland China (GB 32100-2015): 18 characters, of which the
last one is a check character."""

from __future__ import annotations

import unicodedata

from marketplace.core.errors import Invalid

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Digits and capital letters without I, O, S, V and Z (table 1 of the standard)."""
LENGTH = 18


def normalise(text: str, *, field: str) -> str:
    """The code as it is stored: capitals, without the spaces and hyphens that people type. Raises Invalid with the
    reason `credit_code_form` or `credit_code_check`."""
    plain = "".join(each for each in unicodedata.normalize("NFKC", text).upper() if not each.isspace() and each != "-")
    if len(plain) != LENGTH or not set(plain) <= set(_ALPHABET):
        raise Invalid(field=field, reason="credit_code_form")
    if plain[-1] != check_character(plain[:-1]):
        raise Invalid(field=field, reason="credit_code_check")
    return plain


def check_character(first: str) -> str:
    """The last character that belongs to the first 17: each is weighted by the powers of 3 modulo 31 (section 4.6)."""
    total = sum(_ALPHABET.index(each) * pow(3, at, 31) for at, each in enumerate(first))
    return _ALPHABET[-total % 31]
