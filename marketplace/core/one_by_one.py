"""Going through many rows so that one which fails does not stop the others."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from marketplace.core.errors import Busy
from marketplace.core.logging import get_logger

log = get_logger(__name__)

Each = TypeVar("Each", int, Any)

RUN_SECONDS = 5.0
"""So long a job that always finds more goes on before it says how it went: who watches when it last succeeded, and who
ends its process, must not take one that is busy for one that stands still."""


def one_by_one(
    job: str,
    rows: Iterable[Each],
    work: Callable[[Each], str],
    *,
    ends: tuple[type[Exception], ...] = (),
    seconds: float = math.inf,
) -> Counter[str]:
    """Do `work` for each row, in a transaction of its own; counts of the outcomes that it returns. What is not begun
    after so many `seconds` is left for the next time.

    A row is an internal id, or something whose first element names it without naming a person. One that a rival keeps
    busy (`busy`) and one that breaks (`broken`, an error in the log) are left for the next time. A database that is
    away ends it, and so does what is in `ends`: that is raised.
    """
    fatal: tuple[type[Exception], ...] = (OperationalError, InterfaceError, *ends)
    counts, until = Counter[str](), time.monotonic() + seconds
    for row in rows:
        try:
            counts[work(row)] += 1
        except fatal:
            raise
        except Busy:
            counts["busy"] += 1
        except Exception as broken:
            counts["broken"] += 1
            which = row if isinstance(row, int) else row[0]
            # the database's errors quote rows: of them the name alone
            trace = not isinstance(broken, SQLAlchemyError)
            log.exception("row.broken", job=job, row=which, error=type(broken).__name__, exc_info=trace)
        if time.monotonic() > until:
            break
    return counts
