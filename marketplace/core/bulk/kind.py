"""What a subject declares so that its lines can be imported in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from sqlalchemy.orm import Session

from marketplace.core.bulk.cells import Cells, Column, Reason
from marketplace.core.text import Text

Row = TypeVar("Row")
_Row = TypeVar("_Row", contravariant=True)


@dataclass(frozen=True)
class Outcome:
    """What became of a line: its name as a count's label (`added`), and whether anything was changed by it."""

    name: Text
    changed: bool = True


class Apply(Protocol[_Row]):
    """Does one line in the caller's transaction, in a savepoint of its own, and returns the code of its outcome.

    It may be called for the same row any number of times, and in transactions that are rolled back afterwards (a file
    is tried before it is done): it sends nothing and calls nobody. `source` names the import (`import:<public id>`) for
    the subject's history. A Refusal refuses the line: its `at` is the column's code; its fact `reason`, or else its
    code, says why.
    """

    def __call__(self, session: Session, insurer_id: int, row: _Row, *, now: datetime, source: str) -> str: ...


@dataclass(frozen=True)
class ImportKind(Generic[Row]):
    """A subject that is imported in bulk: one line is one row.

    `read` makes a row out of a line's cells; what is wrong is collected in `cells.errors`, and then the row that it
    returns is thrown away. It asks no database. `key` names what a row is about (a policy's key): a second line of the
    same file with the same key is refused, so that lines don't depend on their order. `shares` says by what a row may
    bear upon others of its file (a policy's number, its holder's phone): lines that share something are tried and done
    in one go, so that the trial sees what the import will. `outcomes` has every code that
    `apply` returns, in the order in which counts are shown. `reasons` are the sentences of what this subject alone
    refuses; of a reason of `Invalid` that programs are told as well, `remedies` add what to do about it in a file.
    """

    code: str
    name: Text
    about: Text
    columns: tuple[Column, ...]
    read: Callable[[Cells], Row]
    key: Callable[[Row], str]
    apply: Apply[Row]
    outcomes: Mapping[str, Outcome]
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    remedies: Mapping[str, Text] = field(default_factory=dict)
    shares: Callable[[Row], Iterable[str]] = lambda _row: ()

    def column(self, code: str) -> Column | None:
        """The column of that code."""
        return next((column for column in self.columns if column.code == code), None)
