"""The text of functions and triggers as it was when a migration was written.

Their current text is a `*.sql` file in the room that uses them; a migration runs its own frozen copy from
`migrations/sql/<revision>/`, so that it does the same whenever it is run.
"""

from __future__ import annotations

import re
from pathlib import Path

from alembic import op

FOLDER = Path(__file__).parent / "sql"


def run(revision: str, *names: str) -> None:
    """Run the files `names` (without their ending) of a revision, in this order."""
    for name in names:
        op.get_bind().exec_driver_sql((FOLDER / revision / f"{name}.sql").read_text().replace("%", "%%"))


def statements(revision: str, *names: str) -> list[str]:
    """The statements of these files one by one, for migrations/steps.py."""
    texts = [(FOLDER / revision / f"{name}.sql").read_text() for name in names]
    return [each for text in texts for each in re.split(r"(?<=;)\n+(?=CREATE )", text.strip())]
