"""No column that rests on a key is forgotten when keys change: the lists are compared with the schema and with what
is stored."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from booking.keys.rewrap import PARTS
from booking.keys.sealed import SEALED
from marketplace.core import crypto
from tests.booking.keys.stored import store
from tests.keys import use_keys

UNDER_A_DATA_KEY = """
beneficiary.id_number_sealed beneficiary.phone_sealed beneficiary.record_sealed booking.details_sealed
consent.phone_sealed delivered_row.sealed dispute.answer_sealed dispute.words_sealed personal_export_part.sealed
report_document.sealed report_version.content_sealed report_version.document_sealed
"""
"""Their key is wrapped in a column of a part, so nothing of them has to be touched."""

INDEXED_OTHERWISE = {
    "customer_phone.phone_index": "moved with customer.phone_index",
    "rate_bucket.key_hash": "forgotten within two days; another key means a full bucket",
    "report_share.code_hash": "compared under each live key; ends with its link",
    "sign_in_code.code_hash": "compared under each live key; good for five minutes",
    "sign_in_code.phone_index": "looked for under each live key; good for five minutes",
}

NO_KEY = """
audit_seal.audit_digests audit_seal.hash audit_seal.ledger_digests audit_seal.previous idempotency_key.fingerprint
notice_setting.feed_hash recovery_code.code_hash report_share.token_hash
sign_in_session.token_hash
"""
"""Hashes without a key."""

BYTES = """
SELECT table_name || '.' || column_name FROM information_schema.columns
 WHERE table_schema = 'public' AND udt_name IN ('bytea', '_bytea')
"""


@pytest.mark.usefixtures("db")
def test_every_column_of_bytes_rests_on_a_known_key_or_on_none(owner_connection: Connection) -> None:
    listed = [part.name for part in PARTS] + UNDER_A_DATA_KEY.split() + [*INDEXED_OTHERWISE] + NO_KEY.split()
    assert sorted(listed) == sorted(set(listed))
    assert sorted(owner_connection.execute(text(BYTES)).scalars()) == sorted(listed)


def test_what_names_a_master_key_is_in_a_part_that_is_moved(
    superuser: str, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keys(monkeypatch, master="a", index="a")
    store(superuser)
    found = {name for name in owner_connection.execute(text(BYTES)).scalars() if _names(owner_connection, name)}
    empty_here = {"beneficiary.wrapped_key"}  # of somebody from before the classes
    assert found | empty_here == {part.name for part in SEALED}


def _names(connection: Connection, column: str) -> bool:
    table, name = column.split(".")
    values = connection.execute(text(f'SELECT "{name}" FROM "{table}" WHERE "{name}" IS NOT NULL')).scalars()
    each = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return any(bytes(one).startswith(crypto.HEADER) for one in each)
