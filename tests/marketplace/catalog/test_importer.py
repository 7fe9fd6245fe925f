"""Loading sites: the whole form, what is refused and how it is said, and two loads at once."""

from __future__ import annotations

import csv
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from marketplace.catalog.importer import FileUnreadable, import_sites, read_file
from marketplace.catalog.site_rows import tier_source
from tests.sites import HEADER, many_sites, row, write_sites

pytestmark = pytest.mark.every_postgres

HEAD = ",".join(HEADER) + "\n"
GOOD = "1,示范医院,,北京市,北京市,,三级甲等,综合/其他,,,,haodf2015\n"


def _file(folder: Path, content: str | bytes) -> Path:
    path = folder / "sites.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _refusals(path: Path) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.column, problem.reason) for problem in read_file(path)[1]]


def _names(db: Engine) -> list[str]:
    with db.connect() as connection:
        return list(connection.execute(text("SELECT name FROM site ORDER BY name")).scalars())


def test_a_national_list_loads_in_ten_seconds_of_work_and_twice_changes_nothing(db: Engine, tmp_path: Path) -> None:
    path = write_sites(tmp_path / "sites.csv", many_sites())
    began = time.process_time()
    first = import_sites(path)
    assert time.process_time() - began < 10
    assert (first.inserted, first.updated, first.unchanged, first.refused) == (4402, 0, 0, 0)
    second = import_sites(path)
    assert (second.inserted, second.updated, second.unchanged, second.refused) == (0, 0, 4402, 0)


def test_the_list_of_this_installation_loads_whole(db: Engine, tmp_path: Path) -> None:
    path = os.environ.get("HOSPITALS_CSV", "")
    if not path:
        pytest.skip("HOSPITALS_CSV names no list on this machine")
    result = import_sites(path, error_path=tmp_path / "errors.csv")
    assert result.refused == 0
    assert result.inserted == len(_names(db)) > 0


def test_a_changed_row_is_updated_and_keeps_its_identity(db: Engine, tmp_path: Path) -> None:
    import_sites(write_sites(tmp_path / "a.csv", [row("甲医院", tier="二级"), row("乙医院")]))
    with db.connect() as connection:
        before = connection.execute(text("SELECT id, public_id FROM site WHERE name = '甲医院'")).one()
    result = import_sites(write_sites(tmp_path / "b.csv", [row("甲医院", tier="三级", alias="甲院"), row("乙医院")]))
    assert (result.inserted, result.updated, result.unchanged) == (0, 1, 1)
    with db.connect() as connection:
        after = connection.execute(text("SELECT id, public_id, tier, aliases FROM site WHERE name = '甲医院'")).one()
    assert tuple(after) == (before.id, before.public_id, "三级", ["甲院"])


def test_the_same_name_in_two_cities_is_two_sites_and_the_id_column_means_nothing(db: Engine, tmp_path: Path) -> None:
    rows = [row("人民医院", id="1"), row("人民医院", id="1", province="河北省", city="唐山市")]
    assert import_sites(write_sites(tmp_path / "a.csv", rows)).inserted == 2
    renumbered = [{**each, "id": "9"} for each in rows]
    assert import_sites(write_sites(tmp_path / "b.csv", renumbered)).unchanged == 2


def test_a_blank_tier_loads_as_unknown_without_a_source(db: Engine, tmp_path: Path) -> None:
    import_sites(write_sites(tmp_path / "a.csv", [row("甲医院", tier="")]))
    with db.connect() as connection:
        assert tuple(connection.execute(text("SELECT tier, tier_source, tier_date FROM site")).one()) == (None, "", "")


@pytest.mark.parametrize(
    ("tier", "source", "date"),
    [
        ("三级甲等", "haodf2015", "2015-12-23"),
        ("三级甲等", "haodf2015+3A2020", "2020-11-28"),
        ("三级甲等", "3A2020(geo)", "2020-11-28"),
        ("二级甲等", "haodf2015+3A2020", "2015-12-23"),
        ("二级", "somebody", ""),
        (None, "haodf2015", ""),
    ],
)
def test_a_tier_carries_the_date_of_the_list_it_comes_from(tier: str | None, source: str, date: str) -> None:
    assert tier_source(tier, source)[1] == date


BAD_ROWS = [
    ({"name": ""}, "name", "blank"),
    ({"name": "　"}, "name", "blank"),
    ({"city": ""}, "city", "blank"),
    ({"province": ""}, "province", "blank"),
    ({"tier": "五级"}, "tier", "unknown_tier"),
    ({"longitude": "181", "latitude": "1"}, "longitude", "bad_coordinate"),
    ({"longitude": "nan", "latitude": "1"}, "longitude", "bad_coordinate"),
    ({"longitude": "1", "latitude": "-inf"}, "latitude", "bad_coordinate"),
    ({"longitude": "1", "latitude": "９"}, "latitude", "bad_coordinate"),
    ({"longitude": "1", "latitude": "east"}, "latitude", "bad_coordinate"),
    ({"longitude": "116.3"}, "latitude", "blank"),
    ({"latitude": "39.9"}, "longitude", "blank"),
    ({"name": "a\0b"}, "name", "control_character"),
    ({"address": "一\n二"}, "address", "control_character"),
    ({"name": "医" * 101}, "name", "too_long"),
    ({"address": "路" * 301}, "address", "too_long"),
]


@pytest.mark.parametrize(("cells", "column", "reason"), BAD_ROWS)
def test_a_row_that_cannot_be_used_is_named_by_line_column_and_reason(
    tmp_path: Path, cells: dict[str, str], column: str, reason: str
) -> None:
    path = write_sites(tmp_path / "a.csv", [row("前医院"), row(**{"name": "坏医院", **cells}), row("后医院")])
    assert _refusals(path) == [(3, column, reason)]
    assert [good.name for good in read_file(path)[0]] == ["前医院", "后医院"]


def test_one_bad_row_keeps_everything_out_unless_good_rows_are_asked_for(db: Engine, tmp_path: Path) -> None:
    path = write_sites(tmp_path / "a.csv", [row("甲医院"), row("乙医院", tier="=五级"), row("丙医院")])
    errors = tmp_path / "errors.csv"
    result = import_sites(path, error_path=errors)
    assert (result.inserted, result.refused, result.error_file) == (0, 1, errors)
    assert _names(db) == []
    with errors.open(encoding="utf-8", newline="") as file:
        written = list(csv.reader(file))
    assert written == [["line", "column", "reason", "value"], ["3", "tier", "unknown_tier", "'=五级"]]
    result = import_sites(path, good_rows=True, error_path=errors)
    assert (result.inserted, result.refused) == (2, 1)
    assert _names(db) == ["丙医院", "甲医院"]


def test_without_a_bad_row_there_is_no_error_file(db: Engine, tmp_path: Path) -> None:
    result = import_sites(write_sites(tmp_path / "a.csv", [row()]), error_path=tmp_path / "errors.csv")
    assert result.error_file is None
    assert not (tmp_path / "errors.csv").exists()


def test_the_error_file_stands_in_the_state_directory_if_no_path_is_given(tmp_path: Path) -> None:
    result = import_sites(write_sites(tmp_path / "list.csv", [row(tier="x")]))
    assert result.error_file is not None
    assert result.error_file.parts[-2:] == ("import-errors", "list.csv")
    assert result.error_file.exists()


def test_lines_are_counted_as_they_stand_in_the_file_also_after_quoted_newlines(tmp_path: Path) -> None:
    content = HEAD + '1,"甲\n医\n院",,北京市,北京市,,,,,,,x\n' + "\n" + GOOD.replace("三级甲等", "九级")
    assert _refusals(_file(tmp_path, content)) == [(2, "name", "control_character"), (6, "tier", "unknown_tier")]


def test_the_second_of_two_rows_with_one_key_is_refused_and_says_where_the_first_is(tmp_path: Path) -> None:
    rows, problems = read_file(_file(tmp_path, HEAD + GOOD + GOOD.replace("1,", "2,", 1)))
    assert len(rows) == 1
    assert [(p.line, p.reason, p.value) for p in problems] == [(3, "duplicate", "line 2")]


@pytest.mark.parametrize("record", ["1,短\n", GOOD.strip() + ",more\n"])
def test_a_row_with_a_wrong_number_of_columns_is_refused(tmp_path: Path, record: str) -> None:
    path = _file(tmp_path, HEAD + record + GOOD)
    assert _refusals(path) == [(2, "", "wrong_number_of_columns")]
    assert len(read_file(path)[0]) == 1


def test_a_row_in_another_encoding_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = _file(tmp_path, HEAD.encode() + GOOD.replace("示范", "其他").encode("gb18030") + GOOD.encode())
    assert _refusals(path) == [(2, "name", "not_utf8")]
    assert len(read_file(path)[0]) == 1


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated(tmp_path: Path) -> None:
    rows, problems = read_file(_file(tmp_path, b"\xef\xbb\xbf" + (HEAD + GOOD).replace("\n", "\r\n").encode()))
    assert problems == []
    assert [each.name for each in rows] == ["示范医院"]


def test_columns_may_stand_in_any_order_and_further_ones_are_ignored(tmp_path: Path) -> None:
    names = [*reversed(HEADER), "beds"]
    cells = {**row("甲医院"), "beds": "500"}
    path = _file(tmp_path, ",".join(names) + "\n" + ",".join(cells[name] for name in names) + "\n")
    assert [each.name for each in read_file(path)[0]] == ["甲医院"]


def test_a_missing_column_refuses_the_file_even_for_the_good_rows(db: Engine, tmp_path: Path) -> None:
    path = _file(tmp_path, HEAD.replace("tier,", "").replace("city,", "") + "1,a,b,c,d,e,f,g,h,i\n")
    assert _refusals(path) == [(1, "city", "missing_column"), (1, "tier", "missing_column")]
    result = import_sites(path, good_rows=True, error_path=tmp_path / "errors.csv")
    assert (result.inserted, result.refused) == (0, 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (HEAD.replace("kind", "city").encode(), "missing_column"),
        (b"\0" * 1000, "missing_column"),
        (HEAD.encode() + b'1,"never closed\n' + GOOD.encode(), "not_csv"),
        (HEAD.encode() + b'1,"a"b,c\n', "not_csv"),
        (HEAD.encode() + b"1," + b"x" * 200_000 + b"\n", "not_csv"),
    ],
)
def test_a_file_that_is_something_else_is_reported_and_never_fails(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reason in {refusal[2] for refusal in _refusals(_file(tmp_path, content))}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ((HEAD + GOOD * 9).encode("utf-16"), "encoding_utf16"),
        ((HEAD + GOOD * 9).encode("utf-16-le"), "encoding_utf16"),
        ((HEAD + GOOD * 9).encode("gbk"), "encoding_gbk"),
        ((HEAD + GOOD).replace(",", ";").encode(), "not_comma_separated"),
        ((HEAD + GOOD).replace(",", "\t").encode(), "not_comma_separated"),
    ],
)
def test_a_file_of_another_form_is_one_problem_that_names_the_form(tmp_path: Path, content: bytes, reason: str) -> None:
    assert [(line, what) for line, _, what in _refusals(_file(tmp_path, content))] == [(1, reason)]


def test_after_a_record_that_is_not_csv_the_next_ones_are_read(tmp_path: Path) -> None:
    rows, problems = read_file(_file(tmp_path, HEAD + '1,"a"b,c\n' + GOOD))
    assert [(problem.line, problem.reason) for problem in problems] == [(2, "not_csv")]
    assert len(rows) == 1


@pytest.mark.parametrize("path", ["/no/such/file.csv", "/", "a\0b", "\ud800"])
def test_a_path_that_cannot_be_read_is_one_named_refusal(path: str) -> None:
    with pytest.raises(FileUnreadable) as refused:
        import_sites(path)
    assert refused.value.at == "path"


def test_an_error_file_that_cannot_be_written_is_one_named_refusal(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(FileUnreadable):
        import_sites(write_sites(tmp_path / "a.csv", [row(tier="x")]), error_path=tmp_path / "taken" / "errors.csv")


def test_two_imports_at_once_load_every_site_once(db: Engine, tmp_path: Path) -> None:
    path = write_sites(tmp_path / "a.csv", many_sites(300))
    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(lambda _: import_sites(path), range(2)))
    assert sorted(result.inserted for result in results) == [0, 300]
    assert sorted(result.unchanged for result in results) == [0, 300]
    assert len(_names(db)) == 300


def test_without_the_lock_the_constraint_still_refuses_a_double(db: Engine, owner_connection: Connection) -> None:
    insert = text("INSERT INTO site (public_id, name, province, city) VALUES (:id, '甲', '乙', '丙')")
    owner_connection.execute(insert, {"id": "site_1"})
    with pytest.raises(Exception, match="uq_site_province_city_name"):
        owner_connection.execute(insert, {"id": "site_2"})


_CELL = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["北京市", "三级甲等", "116.3", "39.9", '"', "\r\n"]
)


@given(st.lists(st.lists(_CELL, min_size=len(HEADER), max_size=len(HEADER)), max_size=6))
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_record_is_either_read_or_reported(tmp_path: Path, records: list[list[str]]) -> None:
    path = tmp_path / "any.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *records])
    rows, problems = read_file(path)
    assert len(rows) + len({problem.line for problem in problems}) == len(records)


@given(st.binary(max_size=400))
@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_after_the_header_are_read_or_reported_and_what_is_read_can_be_stored(
    tmp_path: Path, data: bytes
) -> None:
    rows, problems = read_file(_file(tmp_path, HEAD.encode() + data))
    for each in rows:
        assert all(
            "\0" not in part and part.encode() is not None for part in (*each.key, each.search_text, *each.terms)
        )
    assert all(problem.reason and problem.value.isprintable() for problem in problems)
