"""What is stored of consultations, as plain rows: read by SQL at one moment, without a line of the product's code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row


@dataclass(frozen=True)
class Line:
    """A message. `written`: when its transaction was committed, None where the server does not note that."""

    seq: int
    message: str
    client_id: str
    author: str
    kind: str
    at: datetime
    written: datetime | None


@dataclass(frozen=True)
class Promise:
    """A row of `pledge`. `written`: when it was last written, as of a Line."""

    id: int
    public_id: str
    state: str
    seconds: int
    units: int
    begun_at: datetime
    due_at: datetime
    met_at: datetime | None
    breached_at: datetime | None
    cancelled_at: datetime | None
    written: datetime | None


@dataclass(frozen=True)
class MadeGood:
    """A row of `pledge_compensation`, with the entitlement that it names (None: none) and how much that was granted."""

    units: int
    at: datetime
    entitlement: int | None
    granted: int | None
    kind: str | None
    customer: int | None


@dataclass
class Case:
    """A consultation and all that is stored about how it was answered. `entitlement` is the one that its booking uses,
    `quantity` what that was granted, None without limit; `erased`: its customer is. `ledger`: the quantities of the
    ledger's lines that name its pledge as their reason. `cancels`: when its customer, or an agent for her, ended it.
    `steps`: when each escalation was written.

    `outside`: doctors of an outside provider answer it. Then `their_lines` are the numbers that the provider gave to
    what they said, in the order of the messages here, `their_seq` is the newest one by the conversation, and
    `deliveries` says what became of each of the customer's messages on its way to them."""

    conversation: str
    booking: str
    provider: str
    outside: bool
    closed: bool
    their_seq: int
    is_twin: bool
    insurer: str
    department: str
    kind: str
    customer: int
    erased: bool
    entitlement: int
    quantity: int | None
    last_seq: int
    first_message_at: datetime | None
    first_answer_at: datetime | None
    flagged_at: datetime | None
    lines: list[Line] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    made_good: list[MadeGood] = field(default_factory=list)
    ledger: list[int] = field(default_factory=list)
    notices: int = 0
    cancels: list[datetime] = field(default_factory=list)
    steps: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    their_lines: list[int] = field(default_factory=list)
    deliveries: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InHand:
    """An open shift: what it says to have in hand, what it takes at most, and how many conversations say it is they."""

    shift: int
    says: int
    most: int
    has: int


@dataclass(frozen=True)
class Stored:
    """Everything at one moment `now`, by the database's clock. `noted`: whether it notes when each row was written."""

    now: datetime
    noted: bool
    cases: Sequence[Case]
    shifts: Sequence[InHand]


_CASES = """
    SELECT c.id, c.public_id AS conversation, b.public_id AS booking, c.outside, c.closed_at IS NOT NULL AS closed,
           c.their_seq, v.code AS provider, v.twin_of IS NOT NULL AS is_twin, i.code AS insurer,
           c.department, b.kind, b.customer_id AS customer, u.erased_at IS NOT NULL AS erased,
           b.entitlement_id AS entitlement, e.granted AS quantity, c.last_seq, c.first_message_at, c.first_answer_at,
           c.flagged_at, b.id AS booking_id
      FROM conversation c
      JOIN booking b ON b.id = c.booking_id
      JOIN provider v ON v.id = c.provider_id
      JOIN insurer i ON i.id = b.insurer_id
      JOIN customer u ON u.id = b.customer_id
      JOIN entitlement e ON e.id = b.entitlement_id
     ORDER BY c.id
"""
_LINES = """
    SELECT conversation_id AS of, seq, public_id AS message, client_message_id AS client_id, author, kind, at,
           {written} AS written
      FROM conversation_message t ORDER BY conversation_id, seq, id
"""
_PROMISES = """
    SELECT c.id AS of, t.id, t.public_id, t.state, t.seconds, t.units, t.begun_at, t.due_at, t.met_at, t.breached_at,
           t.cancelled_at, {written} AS written
      FROM pledge t JOIN conversation c ON c.public_id = t.subject
     WHERE t.subject_kind = 'conversation' AND t.promise = 'first_answer' ORDER BY t.id
"""
_MADE_GOOD = """
    SELECT m.pledge_id AS of, m.units, m.at, m.entitlement_id AS entitlement, e.granted, e.kind,
           e.customer_id AS customer
      FROM pledge_compensation m LEFT JOIN entitlement e ON e.id = m.entitlement_id ORDER BY m.pledge_id
"""
_LEDGER = """
    SELECT reason, quantity FROM entitlement_entry WHERE entry = 'grant' AND reason LIKE 'pledge %' ORDER BY id
"""
_NOTICES = "SELECT subject, count(*) AS times FROM notification WHERE kind = 'pledge_breached' GROUP BY subject"
_CANCELS = """
    SELECT h.booking_id AS of, h.at FROM booking_history h
     WHERE h.to_state = 'cancelled' AND h.actor_kind IN ('customer', 'agent') ORDER BY h.id
"""
_STEPS = "SELECT conversation_id AS of, step, at FROM conversation_escalation ORDER BY id"
_THEIR_LINES = """
    SELECT l.conversation_id AS of, l.seq FROM conversation_line l JOIN conversation_message m ON m.id = l.message_id
     ORDER BY l.conversation_id, m.seq
"""
_DELIVERIES = """
    SELECT d.conversation_id AS of, m.public_id AS message, d.state
      FROM conversation_delivery d JOIN conversation_message m ON m.id = d.message_id ORDER BY d.id
"""
_SHIFTS = """
    SELECT s.id AS shift, s.in_hand AS says, s.capacity AS most,
           (SELECT count(*) FROM conversation c
             WHERE c.clinician_id = s.member_id AND c.provider_id = s.provider_id AND c.closed_at IS NULL) AS has
      FROM clinician_shift s WHERE s.ended_at IS NULL ORDER BY s.id
"""
_WRITTEN = {True: "pg_xact_commit_timestamp(t.xmin)", False: "CAST(NULL AS timestamptz)"}


def read(address: str) -> Stored:
    """All of it, as one moment has it; `address` is the database's, for a role that may read all tables."""
    with psycopg.connect(address, row_factory=dict_row) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            return read_by(connection)


def read_by(connection: psycopg.Connection[dict[str, Any]]) -> Stored:
    """The same as the transaction of a connection sees it, which gives rows as dictionaries."""

    def ask(question: str) -> list[dict[str, Any]]:
        return connection.execute(question.encode()).fetchall()

    now = ask("SELECT clock_timestamp() AS now")[0]["now"]
    noted = ask("SHOW track_commit_timestamp")[0]["track_commit_timestamp"] == "on"
    cases: dict[int, Case] = {}
    of_booking: dict[int, Case] = {}
    for row in ask(_CASES):
        number, booking = row.pop("id"), row.pop("booking_id")
        cases[number] = of_booking[booking] = Case(**row)
    for row in ask(_LINES.format(written=_WRITTEN[noted])):
        cases[row.pop("of")].lines.append(Line(**row))
    of_pledge: dict[int, Case] = {}
    for row in ask(_PROMISES.format(written=_WRITTEN[noted])):
        case = of_pledge[row["id"]] = cases[row.pop("of")]
        case.promises.append(Promise(**row))
    for row in ask(_MADE_GOOD):
        case_of = of_pledge.get(row.pop("of"))  # None: of another promise
        if case_of is not None:
            case_of.made_good.append(MadeGood(**row))
    _add_by_name(cases.values(), ask(_LEDGER), ask(_NOTICES))
    for row in ask(_CANCELS):
        if row["of"] in of_booking:
            of_booking[row["of"]].cancels.append(row["at"])
    for row in ask(_STEPS):
        cases[row["of"]].steps[row["step"]].append(row["at"])
    for row in ask(_THEIR_LINES):
        cases[row["of"]].their_lines.append(row["seq"])
    for row in ask(_DELIVERIES):
        cases[row["of"]].deliveries[row["message"]] = row["state"]
    return Stored(now, noted, list(cases.values()), [InHand(**row) for row in ask(_SHIFTS)])


def _add_by_name(cases: Any, ledger: Sequence[Mapping[str, Any]], notices: Sequence[Mapping[str, Any]]) -> None:
    """What names a pledge by its public id: the ledger's lines by their reason, notices by their subject."""
    named = {promise.public_id: case for case in cases for promise in case.promises}
    for row in ledger:
        case = named.get(row["reason"].removeprefix("pledge "))
        if case is not None:
            case.ledger.append(row["quantity"])
    for row in notices:
        case = named.get(row["subject"])
        if case is not None:
            case.notices += row["times"]
