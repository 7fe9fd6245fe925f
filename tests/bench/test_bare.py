"""The other side of every ratio stays as it is, or figures taken before and after can't be compared."""

from __future__ import annotations

import hashlib

from bench import bare

FROZEN = "2000bb4641277cb1ef64e87eaf5ce154e17cbe557502a90256a35dd1ea8823c2"


def test_the_bare_sides_sql_is_frozen() -> None:
    scripts = "\0".join(f"{name}\n{script}" for name, script in sorted(bare.SCRIPTS.items()))
    assert hashlib.sha256(scripts.encode()).hexdigest() == FROZEN
