"""Phone numbers as people type them."""

from __future__ import annotations

import pytest

from marketplace.core import crypto
from marketplace.core.errors import Invalid
from vip import phones


@pytest.mark.parametrize(
    "typed",
    [
        "13800000001",
        "138 0000 0001",
        "138-0000-0001",
        "+86 138 0000 0001",
        "+8613800000001",
        "8613800000001",
        "0086 13800000001",
        "１３８０００００００１",
        "＋８６　１３８－００００－０００１",
        " 13800000001\n",
        "013800000001",
        "\u202d138 0000 0001\u202c",
        "\ufeff138\u200b0000\u200e0001\u2060",
        "\u2066+86 13800000001\u2069",
    ],
)
def test_every_way_to_write_a_mainland_number_is_the_same_number(typed: str) -> None:
    assert phones.normalise(typed) == "+8613800000001"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("+44 20 7946 0958", "+442079460958"), ("00852 9123 4567", "+85291234567"), ("+1 (212) 555-0100", "+12125550100")],
)
def test_an_international_number_keeps_its_country_code(typed: str, stored: str) -> None:
    assert phones.normalise(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "1380000000",
        "138000000011",
        "12800000001",
        "+8612800000001",
        "+86138000000012",
        "2079460958",
        "+0123456789",
        "+1234567890123456",
        "1380000000x",
        "13800000001\0",
        "\ud800" * 11,
        "1" * 1_000_000,
        "١٣٨٠٠٠٠٠٠٠١",
        "++8613800000001",
    ],
)
def test_what_is_no_number_is_refused_with_its_field(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        phones.normalise(typed)
    assert (refused.value.at, refused.value.facts) == ("phone", {"reason": "phone"})


def test_a_sealed_number_opens_only_for_its_own_customer() -> None:
    sealed = phones.seal("+8613800000001", "cus_a")
    assert b"13800000001" not in sealed
    assert phones.unseal(sealed, "cus_a") == "+8613800000001"
    with pytest.raises(crypto.Unreadable):
        phones.unseal(sealed, "cus_b")


def test_a_masked_number_shows_too_little_to_call() -> None:
    assert phones.masked("+8613800000001") == "138****0001"
    assert phones.masked("+442079460958") == "+44****58"
