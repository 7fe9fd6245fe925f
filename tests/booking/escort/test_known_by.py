"""By what strangers know each other: words that can't be taken for each other, under the person's own key."""

from __future__ import annotations

import unicodedata

import pytest

from booking.escort.assign import assigned, code_of
from booking.escort.known_by import PINYIN
from marketplace.core.database.db import reading, transaction
from tests.booking.escort.staff import assignment, make_staff
from tests.people import NOON
from tests.world import booking_row
from vip.customers import person_keys


def _without_tones(pinyin: str) -> str:
    letters = unicodedata.normalize("NFD", pinyin.replace("'", ""))
    return "".join(each for each in letters if not unicodedata.combining(each))


def test_words_are_two_characters_and_no_two_sound_alike() -> None:
    assert {len(word) for word in PINYIN} == {2}
    assert len({_without_tones(pinyin) for pinyin in PINYIN.values()}) == len(PINYIN) >= 60
    assert all(_without_tones(pinyin).isascii() and _without_tones(pinyin).islower() for pinyin in PINYIN.values())


@pytest.mark.usefixtures("db")
def test_they_are_sealed_for_their_own_row_and_gone_with_the_persons_key() -> None:
    staff = make_staff(2)
    booking = staff.book()
    row = assignment(staff.ask(booking))
    person = booking_row(booking).beneficiary_id
    with reading() as session:
        shown = assigned(session, row.booking_id)
        code = code_of(session, row.id)
    assert shown is not None and shown.pinyin == PINYIN[shown.safe_word]
    assert code is not None and len(code) == 4 and code.isdecimal()
    stored = (row.safe_word_sealed or b"") + (row.code_sealed or b"")
    assert shown.safe_word.encode() not in stored and code.encode() not in stored
    with transaction() as session:
        person_keys.destroy(session, [person], "process", NOON)
    with reading() as session:
        shown = assigned(session, row.booking_id)
        assert shown is not None and (shown.safe_word, shown.pinyin) == ("", "")
        assert code_of(session, row.id) is None
