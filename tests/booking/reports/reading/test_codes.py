"""A provider's code list is taken whole, or refused with one sentence that names what is wrong with the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from booking.reports.reading.codes import codes_of, map_codes
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid
from marketplace.wording import sentence
from tests.people import NOON
from tests.world import World, make_world

GOOD = "code,item\nLAB-7,alt\n"


@pytest.fixture
def world(db: object) -> World:
    return make_world()


def mapped(world: World) -> dict[str, str]:
    with reading() as session:
        return codes_of(session, world.provider.id)


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        GOOD.encode("utf-8-sig"),
        GOOD.replace("\n", "\r\n").encode(),
        b" code , item \n LAB-7 , alt \n\n",
        b'code,item\n"LAB-7","alt"\nLAB-7,alt\n',
    ],
    ids=["plain", "with a mark", "from Windows", "with blanks", "quoted, and a line twice"],
)
def test_a_list_is_taken_in_every_usual_form(world: World, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "codes.csv"
    file.write_bytes(data)
    map_codes(world.provider.code, file, now=NOON)
    assert mapped(world) == {"LAB-7": "alt"}


@pytest.mark.parametrize(
    ("data", "at", "reason"),
    [
        ("code,item\n谷丙,alt\n".encode("gbk"), "file", "encoding_not_utf8"),
        (GOOD.encode("utf-16"), "file", "encoding_utf16"),
        (GOOD.encode("utf-16-le"), "file", "encoding_utf16"),
        (GOOD.replace(",", ";").encode(), "line 1", "header_semicolons"),
        (GOOD.replace(",", "\t").encode(), "line 1", "header_unknown"),
        (b"item,code\nalt,LAB-7\n", "line 1", "header_unknown"),
        (b"", "line 1", "header_unknown"),
        (b"code,item\nLAB-7,alt\nLAB-7,ast\n", "line 3", "code_of_two_items"),
        (b"code,item\nLAB-7,no-such-item\n", "line 2", "unknown_item"),
        (b"code,item\n,alt\n", "line 2", "unknown_item"),
        (b"code,item\nLAB-7\n", "line 2", "not_two_cells"),
        (b"code,item\nLAB-7,alt,ast\n", "line 2", "not_two_cells"),
        (b'code,item\n"LAB-7,alt\n', "line 2", "not_two_cells"),
        (b"code,item\n" + b"x" * 200_000 + b",alt\n", "line 2", "not_two_cells"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_anything_else_is_refused_in_a_sentence_and_nothing_of_it_is_taken(
    world: World, tmp_path: Path, data: bytes, at: str, reason: str
) -> None:
    file = tmp_path / "codes.csv"
    file.write_bytes(data)
    with pytest.raises(Invalid) as refused:
        map_codes(world.provider.code, file, now=NOON)
    assert (refused.value.at, refused.value.facts["reason"]) == (at, reason)
    assert mapped(world) == {}
    assert sentence(refused.value) not in ("", reason)
