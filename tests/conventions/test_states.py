"""A booking's state has two writers: `move()` in booking/transition.py, and the SQL functions of the hold, its
submission and its plain confirmation. Any other spelling, in Python or SQL, is found here; what is found is told by
file and line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from marketplace.core.config import ROOT
from migrations.functions import files
from tests.conventions.sources import modules, parsed

PACKAGES = ("marketplace", "booking", "vip", "providers", "drill", "bench")

OTHERS = {
    "task",
    "change",
    "request",
    "found",
    "entry",
    "proposal",
    "report",
    "closure",
    "self",
    "mine",
    "endpoint",
    "delivery",
    "pledge",
    "offer",
    "imported",
    "snapshot",
    "asked",
}
"""Names of what has a state of its own and is no booking."""

ALLOWED = {
    ("booking/transition.py", "assigned"): 2,  # move() and begin()
    ("booking/hold/submit.py", "made"): 1,  # a row of no session, for the answer
    ("marketplace/demo/past.py", "made"): 1,  # what was used before it came to us
    ("bench/bare.py", "SQL"): 1,  # the bare side of a ratio
}

_UPDATE = re.compile(
    r"\bUPDATE\s+(?:ONLY\s+)?(?:public\.)?\"?booking\"?\s(.*?)(?:\bWHERE\b|\bFROM\b|\bRETURNING\b|;|\Z)", re.I | re.S
)
_STATE_SET = re.compile(r"(?:\bSET\b|,|\()\s*(?:\w+\.)?\"?state\"?\s*[,)=]", re.I)
_INSERT = re.compile(r"\bINSERT\s+INTO\s+(?:public\.)?\"?booking\"?\s*\(([^)]*)\)", re.I)


def in_sql(text: str) -> bool:
    """Whether a text is SQL that writes a booking's state: by UPDATE, or as a column of an INSERT."""
    updated = any(_STATE_SET.search(found[1]) for found in _UPDATE.finditer(text))
    return updated or any(re.search(r"\bstate\b", found[1]) for found in _INSERT.finditer(text))


def in_python(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and spelling of each place that writes a booking's state."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from ((node.lineno, "assigned") for part in ast.walk(target) if _is_state(part))
        elif isinstance(node, ast.Call):
            yield from ((node.lineno, spelling) for spelling in _called(node))
        elif isinstance(node, ast.Constant | ast.JoinedStr) and in_sql(_text(node)):
            yield node.lineno, "SQL"


def _is_state(target: ast.AST) -> bool:
    if not isinstance(target, ast.Attribute) or target.attr != "state" or not isinstance(target.ctx, ast.Store):
        return False
    return ast.unparse(target.value).split(".")[-1] not in OTHERS


def _called(node: ast.Call) -> Iterator[str]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    named = {word.arg for word in node.keywords}
    if called in ("setattr", "__setattr__") and any(_is_word(word) for word in node.args[1:2]):
        yield "setattr"
    if called == "Booking" and "state" in named:
        yield "made"
    if called in ("values", "update") and re.search(r"\bBooking\b", ast.unparse(node)):
        keys = [key for word in node.args if isinstance(word, ast.Dict) for key in word.keys if key]
        if "state" in named or any(_is_word(key) or ast.unparse(key).endswith(".state") for key in keys):
            yield "values"


def _is_word(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == "state"


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)


def test_a_state_is_written_in_one_place() -> None:
    found: dict[tuple[str, str], set[int]] = {}
    for path, tree in parsed(modules(*PACKAGES), about="(?i)state"):
        for line, spelling in in_python(tree):
            found.setdefault((str(path), spelling), set()).add(line)
    assert {where: len(lines) for where, lines in found.items()} == ALLOWED, found


def test_three_functions_write_a_state() -> None:
    writers = {str(path.relative_to(ROOT)) for path in files() if in_sql(path.read_text())}
    hold, confirmed = "booking/hold/{}_booking.sql", "booking/sync/confirm_plainly.sql"
    assert writers == {hold.format("hold"), hold.format("submit"), confirmed}


@pytest.mark.parametrize(
    "spelling",
    [
        "booking.state = to",
        "kept.state = to",
        "row.Booking.state = to",
        "booking.state, booking.cause = to, cause",
        "a, (b, locked.state) = them",
        "booking.state: BookingState = to",
        "setattr(booking, 'state', to)",
        "session.execute(update(Booking).where(Booking.id == 1).values(state=to))",
        "session.execute(update(models.Booking).values({'state': to}))",
        "session.execute(update(Booking).values({Booking.state: to}))",
        "session.query(Booking).filter_by(id=1).update({'state': to})",
        "session.execute(insert(Booking).values(public_id='b', state=to))",
        "Booking(public_id='b', state=to)",
        "text('UPDATE booking SET cause = 1, state = 2 WHERE id = 3')",
        "text('update only public.booking b set (cause, state) = (1, 2)')",
        "text(f'UPDATE booking SET state = {to}')",
        "cursor.execute('INSERT INTO booking (public_id, state) VALUES (1, 2)')",
    ],
)
def test_no_spelling_is_overlooked(spelling: str) -> None:
    assert list(in_python(ast.parse(spelling))), spelling


@pytest.mark.parametrize(
    "harmless",
    [
        "task.state = 'queued'",
        "session.execute(update(Booking).where(Booking.state == to).values(cause='x'))",
        "text('UPDATE booking SET cause = 1 WHERE state = 2')",
        "text('UPDATE booking_history SET state = 2')",
        "text('SELECT state FROM booking')",
        "ProviderBooking(state=to)",
    ],
)
def test_what_merely_reads_is_left_alone(harmless: str) -> None:
    assert not list(in_python(ast.parse(harmless))), harmless
