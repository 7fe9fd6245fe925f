"""What the lines of several subjects say alike: the SQL that overwrites a column, and why one is not exported."""

from __future__ import annotations

BLANK = "''"
NONE = "NULL"
NO_BYTES = "''::bytea"
NOBODY = "sha256(convert_to(gen_random_uuid()::text, 'UTF8'))"
"""32 bytes that are the fingerprint of nothing, different for each row: the column is unique."""
NO_DAY = "DATE '1900-01-01'"

HASH = "the hash of a secret, of use to nobody"
KEY = "a key: what it opens is exported"
OF_ONE_DAY = "by what two people know each other on one day, of no use after it"
