"""No column that rests on a key is forgotten when keys change: the lists are compared with the schema and with what
is stored."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from booking.feeds.unreadable import record_rows
from booking.keys.indexed import INDEXED
from booking.keys.sealed import SEALED
from booking.keys.unmoved import UNMOVED
from booking.models import Feed
from marketplace.core import crypto
from marketplace.core.keyring import Key
from providers.reported import UnreadableRow
from tests.booking.keys.stored import store
from tests.keys import use_keys
from tests.people import NOON

UNDER_A_DATA_KEY = """
beneficiary.id_number_sealed beneficiary.phone_sealed beneficiary.record_sealed booking.details_sealed
bulk_import.content_sealed bulk_import.details_sealed bulk_line.cells_sealed
consent.phone_sealed conversation_line.digest_sealed conversation_message.body_sealed
conversation_note.body_sealed conversation_picture.sealed conversation_picture.thumbnail_sealed delivered_row.sealed
escort_assignment.code_sealed escort_assignment.safe_word_sealed escort_deed.sealed escort_link.name_sealed
escort_line.digest_sealed escort_picture.sealed escort_picture.thumbnail_sealed
dispute.answer_sealed dispute.words_sealed personal_export_part.sealed
rating.words_sealed report_document.sealed report_version.content_sealed report_version.document_sealed
"""
"""Their key is wrapped in a column of a part, so nothing of them has to be touched."""

INDEXES = [
    *(name for part in INDEXED for name in (part.name, part.beside_name) if name),
    *(name for each in UNMOVED for name in each.names),
]
"""What `keys list` counts under the index keys."""

NOT_BYTES = {"discrepancy.facts", "discrepancy.subject"}

NO_KEY = """
api_secret.secret_hash api_token.token_hash
audit_seal.audit_digests audit_seal.hash audit_seal.ledger_digests audit_seal.previous bulk_import.file_hash
idempotency_key.fingerprint
escort_link.token_hash live_ticket.token_hash member_invitation.token_hash notice_setting.feed_hash
provider_application.token_hash
recovery_code.code_hash
report_share.token_hash
sign_in_link.token_hash sign_in_session.token_hash used_assertion.jti_hash webhook_delivery.body_hash
"""
"""Hashes without a key."""

BYTES = """
SELECT table_name || '.' || column_name FROM information_schema.columns
 WHERE table_schema = 'public' AND udt_name IN ('bytea', '_bytea')
"""

EVERY = """
SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c
  JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
"""


@pytest.mark.usefixtures("db")
def test_every_column_of_bytes_rests_on_a_known_key_or_on_none(owner_connection: Connection) -> None:
    listed = [part.name for part in SEALED] + INDEXES + UNDER_A_DATA_KEY.split() + NO_KEY.split()
    assert sorted(listed) == sorted(set(listed))
    assert sorted(owner_connection.execute(text(BYTES)).scalars()) == sorted({*listed} - NOT_BYTES)


def test_what_names_a_master_key_is_in_a_part_that_is_moved(
    superuser: str, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keys(monkeypatch, master="a", index="a")
    store(superuser)
    found = {name for name in owner_connection.execute(text(BYTES)).scalars() if _names(owner_connection, name)}
    empty_here = {"beneficiary.wrapped_key"}  # of somebody from before the classes
    assert found | empty_here == {part.name for part in SEALED}


def test_no_fingerprint_is_stored_where_nothing_counts_it(
    superuser: str, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keys(monkeypatch, master="a", index="a")
    made, fingerprint = set[str](), crypto._fingerprint

    def noted(value: str, purpose: str, key: Key) -> bytes:
        one = fingerprint(value, purpose, key)
        made.add(one.hex()[:32])
        return one

    monkeypatch.setattr(crypto, "_fingerprint", noted)
    stored = store(superuser)
    provider_id = stored.life.world.provider.id
    record_rows(provider_id, Feed.BOOKINGS, [UnreadableRow("status.unknown", b"{}", "a-digest")], now=NOON)
    found = {name for name in owner_connection.execute(text(EVERY)).scalars() if _holds(owner_connection, name, made)}
    assert found <= {*INDEXES}
    assert found >= NOT_BYTES | {"customer.phone_index", "customer_phone.phone_index", "beneficiary.id_number_index"}


def _holds(connection: Connection, column: str, fingerprints: set[str]) -> bool:
    """Whether a value of the column holds one of these, as bytes or within a text."""
    table, name = column.split(".")
    wanted = text(f'SELECT count(*) FROM "{table}" WHERE "{name}"::text ~ :any')
    return bool(connection.execute(wanted, {"any": "|".join(sorted(fingerprints))}).scalar_one())


def _names(connection: Connection, column: str) -> bool:
    table, name = column.split(".")
    values = connection.execute(text(f'SELECT "{name}" FROM "{table}" WHERE "{name}" IS NOT NULL')).scalars()
    each = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return any(bytes(one).startswith(crypto.HEADER) for one in each)
