"""What was asked of escort workers under code of before is what it was, in the words of now."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from marketplace.core import migrate
from marketplace.development.embedded.postgres import APPLICATION
from tests.conftest import TestDatabase

ROWS = """
INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url)
VALUES ('prv_1', 'one', 'x', 'x', 'desk', '');
INSERT INTO escort_worker (public_id, provider_id, shown_name, staff_number, sex, languages, qualification_zh, province,
                           city, active_from, created_at, updated_at)
SELECT 'esw_1', id, '何静', 'S-17', 'female', '{mandarin}', '护理专业', '浙江省', '杭州市', now(), now(), now()
  FROM provider;
ALTER TABLE escort_assignment DROP CONSTRAINT fk_escort_assignment_booking_id, DISABLE TRIGGER USER;
INSERT INTO escort_assignment (public_id, booking_id, worker_id, provider_id, state, period, padded, travel_seconds,
                               asked_at, answer_due_at, ended_at, cause, asked_by_kind, asked_by)
SELECT 'esa_' || state, number, w.id, w.provider_id, state, during, during, 0, now(), now() + interval '1 hour', ended,
       cause, 'clock', ''
  FROM escort_worker w, tstzrange(now() + interval '1 day', now() + interval '2 days') AS during,
       (VALUES (1, 'lapsed', now(), 'no_answer'), (2, 'withdrawn', now(), 'desk'), (3, 'asked', NULL, NULL))
       AS kind (number, state, ended, cause);
ALTER TABLE escort_assignment ENABLE TRIGGER USER;
"""


def test_who_let_a_question_lapse_did_not_answer_in_time_and_is_called_as_she_was(
    other_database: Callable[[str], TestDatabase],
) -> None:
    made = other_database("escorts")
    migrate.downgrade(made.owner_url, "0132", application_role=APPLICATION)
    with psycopg.connect(made.owner_url) as connection:
        connection.execute(ROWS.encode())
    migrate.upgrade(made.owner_url, application_role=APPLICATION)
    with psycopg.connect(made.owner_url) as connection:
        found = connection.execute(
            "SELECT public_id, state, ended_at IS NULL, worker_then->>'name', worker_then->>'staff_number'"
            " FROM escort_assignment ORDER BY booking_id"
        ).fetchall()
    assert found == [
        ("esa_lapsed", "expired", False, "何静", "S-17"),
        ("esa_withdrawn", "withdrawn", False, "何静", "S-17"),
        ("esa_asked", "asked", True, "何静", "S-17"),
    ]
