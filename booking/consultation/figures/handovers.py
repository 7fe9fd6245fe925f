"""How often consultations changed hands, and who gave them away. A hand-over counts with its consultation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import text

from booking.consultation.figures.rows import Listing
from booking.consultation.figures.scope import Days, Whose, counting
from marketplace.core.database.db import reading

Group = Literal["all", "department", "clinician"]
GROUPS: dict[Group, str] = {"all": "true", "department": "department = :name", "clinician": "member = :name"}
"""Which hand-overs a figure counts."""

_HANDED = """
    SELECT h.id, h.at, r.booking_id, r.conversation_id, r.name_zh, r.name_en, r.department, r.state,
           m.public_id AS member, coalesce(k.shown_name, m.name) AS giver,
           CASE WHEN h.to_member_id IS NULL THEN '' ELSE coalesce(tk.shown_name, t.name) END AS taker
      FROM conversation_handover h
      JOIN ({counted}) AS r ON r.conversation_id = h.conversation_id
      JOIN operator m ON m.id = h.from_member_id
      LEFT JOIN clinician k ON k.member_id = h.from_member_id
      LEFT JOIN operator t ON t.id = h.to_member_id
      LEFT JOIN clinician tk ON tk.member_id = h.to_member_id"""


@dataclass(frozen=True)
class Handed:
    """The hand-overs of a department (a code) or of a clinician (her public id, and the name that patients know);
    `name` is blank for all of them. `to_queue`: how many of them went to nobody in particular. `consultations`: how
    many consultations changed hands."""

    name: str
    shown: str
    number: int
    to_queue: int
    consultations: int


@dataclass(frozen=True)
class Handovers:
    """All, by department and by the clinician who gave away, the most first."""

    all: Handed
    by_department: Sequence[Handed]
    by_clinician: Sequence[Handed]


def handovers(whose: Whose, days: Days) -> Handovers:
    """Of the consultations whose first question was asked in that time."""
    it = counting(whose, days)
    query = text(f"""
        SELECT CASE WHEN grouping(department) = 0 THEN 'department' WHEN grouping(member) = 0 THEN 'clinician'
                    ELSE 'all' END AS by,
               coalesce(department, member, '') AS name, coalesce(min(giver), '') AS giver, count(*) AS number,
               count(*) FILTER (WHERE taker = '') AS to_queue, count(DISTINCT conversation_id) AS consultations
          FROM ({_HANDED.format(counted=it.rows)}) AS handed
         GROUP BY GROUPING SETS ((), (department), (member)) ORDER BY number DESC, name
    """)
    found: dict[Group, list[Handed]] = {group: [] for group in GROUPS}
    with reading() as session:
        for row in session.execute(query, it.values):
            shown = row.giver if row.by == "clinician" else ""
            found[row.by].append(Handed(row.name, shown, row.number, row.to_queue, row.consultations))
    return Handovers(found["all"][0], found["department"], found["clinician"])


def listing(whose: Whose, days: Days, group: Group, name: str) -> Listing:
    """The hand-overs of a group, the newest first."""
    it = counting(whose, days)
    sql = f"""
        SELECT CAST(extract(epoch FROM at) AS double precision) AS sort, id, booking_id, name_zh, name_en, department,
               at, CAST(NULL AS double precision) AS seconds, state, NULL AS stars, giver, taker
          FROM ({_HANDED.format(counted=it.rows)}) AS handed WHERE {GROUPS[group]}"""
    return Listing(sql, {**it.values, "name": name})
