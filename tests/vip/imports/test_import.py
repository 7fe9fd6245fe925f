"""An import from the file to its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select, text

from marketplace.core.audit import AuditLine
from marketplace.core.bulk.table import TableRefused
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from migrations.known import import_models
from tests.all_rows import all_rows
from tests.people import NOON
from tests.spreadsheets import figure, make_xlsx
from tests.vip.imports.stage import HELD, MADE, csv, made, operator, things, uploaded, work
from vip.imports import run, together
from vip.imports.models import BulkImport, BulkLine
from vip.imports.steer import ImportMoved, NothingToImport, steer
from vip.imports.together import Together
from vip.imports.upload import upload
from vip.imports.view import ImportView, imports, one_import, refused_file, refused_lines
from vip.imports.work import STORED_FOR, forget_contents, work_imports
from vip.models import Insurer
from vip.principal import Principal
from vip.signin.signin import RECENT, SignInAgain

LATER = NOON + timedelta(minutes=1)


def view(who: Principal, public_id: str) -> ImportView:
    return one_import(who, public_id, now=LATER)


def state(who: Principal, public_id: str) -> tuple[str, dict[str, int]]:
    it = view(who, public_id).line
    return it.state, dict(it.counts)


def started(who: Principal, public_id: str) -> None:
    steer(who, public_id, "start", now=NOON)
    work()


MIXED = csv(
    [
        ("K-1", "甲"),
        ("K-2", "unwanted"),
        ("", "乙"),
        ("K-3", "broken"),
        ("K-1", "丙"),
        ("K-4", "violates"),
        ("K-5", "戊"),
    ]
)
WRONG = {
    "K-2": ("name", "unwanted", {"number": 7}),
    "": ("key", "missing", {}),
    "K-3": ("", "broken", {}),
    "K-1": ("", "doubled", {"line": 2}),
    "K-4": ("", "broken", {}),
}


def test_a_file_is_tried_without_writing_anything_and_then_done(lin: Principal) -> None:
    import_models()
    with transaction() as session:
        before = all_rows(session)
    it = uploaded(lin, MIXED)
    with transaction() as session:
        after = all_rows(session)
    ours = {"bulk_import", "bulk_line", "audit_line"}
    assert {name for name in before if before[name] != after[name]} <= ours
    assert made() == {}, "a trial is taken back"
    assert state(lin, it) == ("checked", {"made": 2, "refused": 5})
    started(lin, it)
    assert state(lin, it) == ("done", {"made": 2, "refused": 5})
    assert made() == {"K-1": 1, "K-5": 1}, "a line with an error stops no other, and leaves nothing"


def test_each_refused_line_says_where_and_why_without_what_stands_in_it(
    lin: Principal, owner_connection: Connection
) -> None:
    it = uploaded(lin, MIXED)
    found = refused_lines(lin, it, cursor=None, limit=50).items
    told = [(line.number, error.column, error.reason, dict(error.facts)) for line in found for error, _ in line.errors]
    assert told == [(number, *wrong) for number, wrong in zip((3, 4, 5, 6, 7), WRONG.values(), strict=True)]
    assert [value for line in found for _error, value in line.errors] == ["u***ed", "", "", "", ""]
    started(lin, it)
    assert [line.number for line in refused_lines(lin, it, cursor=None, limit=50).items] == [3, 4, 5, 6, 7]
    for table in ("bulk_import", "bulk_line"):
        stored = owner_connection.execute(text(f"SELECT string_agg(t::text, '') FROM {table} t")).scalar_one()
        assert not [word for word in ("甲", 'unwanted"}', "K-1", "things.csv") if word in stored], "it is sealed"


def test_lines_are_shown_by_reason_and_in_pages(lin: Principal) -> None:
    it = uploaded(lin, MIXED)
    assert list(view(lin, it).reasons) == [("broken", 2), ("doubled", 1), ("missing", 1), ("unwanted", 1)]
    broken = refused_lines(lin, it, reason="broken", cursor=None, limit=1)
    rest = refused_lines(lin, it, reason="broken", cursor=broken.next, limit=1)
    assert [line.number for line in (*broken.items, *rest.items)] == [5, 7] and rest.next is None
    assert refused_lines(lin, it, reason="nothing like it", cursor=None, limit=5).items == []
    with pytest.raises(Invalid):
        refused_lines(lin, it, cursor="x", limit=5)


def test_refused_lines_come_back_as_they_were_and_corrected_ones_are_a_new_import(lin: Principal) -> None:
    it = uploaded(lin, MIXED)
    file = refused_file(lin, it, now=NOON)
    assert (file.columns, file.number) == (("key", "name"), 1)
    assert [(number, list(cells)) for number, cells, _errors in file.lines] == [
        (3, ["K-2", "unwanted"]), (4, ["", "乙"]), (5, ["K-3", "broken"]), (6, ["K-1", "丙"]), (7, ["K-4", "violates"]),
    ]  # fmt: skip
    with reading() as session:
        [facts] = session.scalars(select(AuditLine.facts).where(AuditLine.action == "import.refused_lines_fetched"))
    assert facts == {"lines": 5}
    started(lin, it)
    again = uploaded(lin, "key,name,行号,怎么改\nK-2,好,3,删去\n".encode())
    started(lin, again)
    assert state(lin, again) == ("done", {"made": 1}) and made()["K-2"] == 1
    assert view(lin, again).details.ignored == ()  # type: ignore[union-attr]
    with pytest.raises(NotFound):
        refused_file(lin, again, now=NOON)


def test_the_same_file_again_is_said_and_changes_nothing(lin: Principal) -> None:
    first = uploaded(lin, things(120))
    started(lin, first)
    second = uploaded(lin, things(120))
    assert view(lin, second).same_as == [1] and view(lin, first).same_as == []
    started(lin, second)
    assert state(lin, second) == ("done", {"same": 120})
    assert set(made().values()) == {1} and len(made()) == 120
    assert [(line.number, line.counts) for line in imports(lin, cursor=None, limit=1).items] == [(2, {"same": 120})]


def test_a_spreadsheet_is_read_too_and_what_it_lost_is_said(lin: Principal) -> None:
    it = uploaded(lin, make_xlsx([["key", "name"], ["007", "甲"], [figure("7"), "乙"]]), name="C:\\物\\things.xlsx")
    assert state(lin, it) == ("checked", {"made": 1, "refused": 1})
    details = view(lin, it).details
    assert details is not None and (details.name, details.form) == ("things.xlsx", "xlsx")
    [line] = refused_lines(lin, it, cursor=None, limit=5).items
    assert [(error.column, error.reason) for error, _ in line.errors] == [("key", "stored_as_number")]


def test_a_file_that_can_not_be_read_ends_with_the_reason(lin: Principal) -> None:
    it = uploaded(lin, b"name\nx\n")
    found = view(lin, it)
    assert (found.line.state, found.failure) == ("failed", {"reason": "missing_columns", "columns": "key"})
    for content in (b" ", b"x" * (8 * 2**20 + 1)):
        with pytest.raises(TableRefused):
            upload(lin, "things", "x.csv", content, now=NOON)
    with pytest.raises(NotFound):
        upload(lin, "no kind", "x.csv", b"key\nK\n", now=NOON)


def test_it_is_paused_goes_on_and_is_stopped_where_it_stands(lin: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 10)
    it = uploaded(lin, things(50))
    steer(lin, it, "start", now=NOON)
    number = _number(it)
    assert run.work_on(number, lambda: NOON) == 10
    steer(lin, it, "pause", now=NOON)
    assert run.work_on(number, lambda: NOON) == 0 and len(made()) == 10
    steer(lin, it, "resume", now=NOON)
    assert run.work_on(number, lambda: NOON) == 10
    assert (view(lin, it).processed, view(lin, it).a_second) == (20, pytest.approx(20 / 60, abs=0.7))
    steer(lin, it, "stop", now=NOON)
    work()
    assert len(made()) == 20 and state(lin, it) == ("stopped", {"made": 20})
    for act in ("start", "pause", "resume", "stop"):
        with pytest.raises(ImportMoved):
            steer(lin, it, act, now=NOON)
    with pytest.raises(Invalid):
        steer(lin, it, "explode", now=NOON)
    with reading() as session:
        acts = session.scalars(select(AuditLine.action).where(AuditLine.subject == it).order_by(AuditLine.id)).all()
    assert [act.partition(".")[2] for act in acts] == [
        "uploaded", "checked", "started", "paused", "resumed", "stopped",
    ]  # fmt: skip


def _number(public_id: str) -> int:
    with reading() as session:
        return session.scalars(select(BulkImport.id).where(BulkImport.public_id == public_id)).one()


def test_nothing_is_begun_where_every_line_is_refused_or_the_sign_in_is_old(lin: Principal) -> None:
    it = uploaded(lin, csv([("", "甲")]))
    with pytest.raises(NothingToImport):
        steer(lin, it, "start", now=NOON)
    good = uploaded(lin, things(1))
    with pytest.raises(SignInAgain):
        steer(lin, good, "start", now=NOON + RECENT + timedelta(seconds=1))


def test_a_line_that_a_rival_holds_is_tried_again_and_refused_in_the_end(lin: Principal) -> None:
    it = uploaded(lin, csv([("K-1", "busy"), ("K-2", "甲")]))
    assert state(lin, it) == ("checked", {"made": 1, "refused": 1})
    started(lin, it)
    [line] = refused_lines(lin, it, cursor=None, limit=5).items
    assert (line.number, line.errors[0][0].reason) == (2, "busy")
    assert made() == {"K-2": 1}


def test_what_the_trial_refused_is_tried_once_more_when_it_is_done(lin: Principal) -> None:
    it = uploaded(lin, csv([("K-1", "甲"), ("K-2", "甲")]))
    with transaction() as session:
        session.execute(text("UPDATE bulk_line SET expected = 'refused', reason = 'busy' WHERE number = 3"))
    assert state(lin, it)[1] == {"made": 1, "refused": 1}
    started(lin, it)
    assert state(lin, it)[1] == {"made": 2} and len(made()) == 2


def test_contents_are_destroyed_after_thirty_days_and_counts_stay(lin: Principal) -> None:
    done, waiting = uploaded(lin, MIXED), uploaded(lin, things(3))
    started(lin, done)
    assert forget_contents(now=NOON + STORED_FOR) == {}
    assert forget_contents(now=NOON + STORED_FOR + timedelta(seconds=1)) == {"forgotten": 2}
    assert state(lin, done) == ("done", {"made": 2, "refused": 5})
    assert state(lin, waiting) == ("stopped", {"made": 3})
    found = view(lin, done)
    assert found.details is None and found.forgotten_at is not None and found.same_as == []
    assert refused_lines(lin, done, cursor=None, limit=5).items == []
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(BulkLine)) == 0
        assert session.scalars(select(BulkImport.wrapped_key)).all() == [None, None]
    with pytest.raises(NotFound):
        refused_file(lin, done, now=NOON)


def test_only_the_insurers_own_administrators_find_an_import(lin: Principal) -> None:
    it = uploaded(lin, MIXED)
    agent = operator("wu", "agent")
    with transaction() as session:
        other = Insurer(public_id="ins_other", code="other", name_zh="他", name_en="Other", time_zone="UTC")
        session.add(other)
        session.flush()
        theirs = other.id
    stranger = Principal("operator", lin.id, lin.public_id, theirs, lin.session_id, "UTC", "admin")
    for who in (agent, stranger):
        for ask in (
            lambda who=who: one_import(who, it, now=NOON),
            lambda who=who: refused_lines(who, it, cursor=None, limit=5),
            lambda who=who: refused_file(who, it, now=NOON),
            lambda who=who: steer(who, it, "stop", now=NOON),
            lambda who=who: steer(who, it, "start", now=NOON),
        ):
            with pytest.raises(NotFound):
                ask()
    assert imports(stranger, cursor=None, limit=5).items == []
    for refused in (lambda: imports(agent, cursor=None, limit=5), lambda: upload(agent, "things", "", b"x", now=NOON)):
        with pytest.raises(NotFound):
            refused()
    assert state(lin, it)[0] == "checked"


def test_each_insurer_counts_its_own_imports(lin: Principal) -> None:
    first, second = uploaded(lin, things(1)), uploaded(lin, things(2))
    assert [view(lin, each).line.number for each in (first, second)] == [1, 2]


def test_a_line_is_marked_once(lin: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark's condition alone, without the lock on the import: what a second one did is taken back."""
    it = uploaded(lin, things(2))
    steer(lin, it, "start", now=NOON)
    number, mark = _number(it), run._mark

    def mark_after_another(session, result, now, *, trial):  # type: ignore[no-untyped-def]
        session.execute(text("UPDATE bulk_line SET outcome = 'made', done_at = now() WHERE outcome IS NULL"))
        mark(session, result, now, trial=trial)

    monkeypatch.setattr(run, "_mark", mark_after_another)
    with pytest.raises(RuntimeError, match="done twice"):
        run.work_on(number, lambda: NOON)
    assert made() == {}


def test_the_worker_goes_on_with_the_next_import_where_one_breaks(
    lin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = uploaded(lin, things(2)), uploaded(lin, things(2, begin=10))
    for each in (first, second):
        steer(lin, each, "start", now=NOON)
    broken, work_on = _number(first), run.work_on

    def breaks(import_id, clock):  # type: ignore[no-untyped-def]
        if import_id == broken:
            raise RuntimeError
        return work_on(import_id, clock)

    monkeypatch.setattr("vip.imports.work.work_on", breaks)
    assert work_imports(lambda: NOON, seconds=5)["lines"] == 2
    assert sorted(made()) == ["K-00010", "K-00011"]
    with reading() as session:
        sources = session.scalars(select(AuditLine.facts["source"].astext).where(AuditLine.action == MADE)).all()
    assert set(sources) == {f"import:{second}"}


def test_lines_that_share_something_are_foretold_as_they_are_done(lin: Principal) -> None:
    """The second thing of one name is refused, sixty lines after the first; a batch has fifty."""
    rows = [(f"K-{n:05}", "only one" if n in (1, 61, 62) else "甲") for n in range(63)]
    it = uploaded(lin, csv(rows))
    assert state(lin, it) == ("checked", {"made": 61, "refused": 2})
    assert [line.number for line in refused_lines(lin, it, cursor=None, limit=5).items] == [63, 64]
    assert view(lin, it).unforeseen == 0
    started(lin, it)
    assert state(lin, it) == ("done", {"made": 61, "refused": 2})


def test_a_batch_whose_time_is_over_ends_what_goes_together(lin: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH_SECONDS", 0.0)
    it = uploaded(lin, csv([("K-1", "only one"), ("K-2", "甲"), ("K-3", "only one")]))
    assert state(lin, it) == ("checked", {"made": 2, "refused": 1})


def test_where_a_rival_holds_one_line_those_beside_it_are_tried_again_with_it(
    lin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(HELD, "K-1", 2)
    it = uploaded(lin, csv([("K-1", "only one"), ("K-2", "only one")]))
    assert state(lin, it) == ("checked", {"made": 1, "refused": 1})
    assert [line.number for line in refused_lines(lin, it, cursor=None, limit=5).items] == [3]


def test_too_many_lines_that_share_something_are_counted(lin: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "MOST", 2)
    it = uploaded(lin, csv([(f"K-{n}", "only one") for n in range(3)]))
    assert view(lin, it).unforeseen == 3


def test_lines_are_joined_over_a_third_one() -> None:
    found = Together()
    for number, shares in ((2, "a"), (3, "b"), (4, "ab"), (5, ""), (6, "c"), (7, "bc"), (8, "d")):
        found.add(number, shares)
    assert found.by_line() == {2: 2, 3: 2, 4: 2, 6: 2, 7: 2}
