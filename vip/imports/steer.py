"""What an operator says to an import: begin, pause, go on, stop."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, get_args

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from vip import risky, roles
from vip.imports.counts import counts_of
from vip.imports.models import BulkImport, BulkLine
from vip.imports.read import REFUSED
from vip.principal import Principal

Act = Literal["start", "pause", "resume", "stop"]
ACTS: Final[tuple[Act, ...]] = get_args(Act)
_FROM: Final[dict[Act, tuple[str, ...]]] = {
    "start": ("checked",),
    "pause": ("running",),
    "resume": ("paused",),
    "stop": ("uploaded", "checking", "checked", "running", "paused"),
}
_TO: Final[dict[Act, str]] = {"start": "running", "pause": "paused", "resume": "running", "stop": "stopped"}


class ImportMoved(Refusal):
    """The import is not where the page showed it: somebody else was faster, or it is over. Nothing was changed."""

    code = "import_moved"


class NothingToImport(Refusal):
    """Every line of the file is refused."""

    code = "nothing_to_import"


def acts_of(state: str) -> tuple[Act, ...]:
    """What can be said to an import in that state."""
    return tuple(act for act in ACTS if state in _FROM[act])


def steer(principal: Principal, public_id: str, act: str, *, now: datetime) -> None:
    """Do what she says; what was done until then stays. It waits for the batch that is under way, so that nothing more
    is done once it is said. Audited. Raises NotFound, also without the duty; SignInAgain for a start; Invalid for no
    such act; ImportMoved; NothingToImport where every line is refused."""
    if act == "start":
        risky.allow(principal, "start_import", now=now)
    roles.require(principal, "imports")
    known = next((each for each in ACTS if each == act), None)
    if known is None:
        raise Invalid(field="act", reason="unknown_value")
    with transaction() as session:
        imported = _locked(session, principal, public_id)
        if imported.state not in _FROM[known]:
            raise ImportMoved()
        if known == "start":
            _begin(session, imported, principal, now)
        counts = counts_of(session, imported.id, trial=imported.started_at is None)
        imported.state, imported.changed_at = _TO[known], now
        if known == "stop":
            imported.ended_at, imported.content_sealed, imported.counts = now, None, counts
        audit.record(
            session,
            f"import.{'started' if known == 'start' else _TO[known] if known != 'resume' else 'resumed'}",
            at=now,
            actor_kind=principal.acts_as,
            actor=principal.public_id,
            subject=imported.public_id,
            insurer_id=imported.insurer_id,
            counts=counts,
        )


def _locked(session: Session, principal: Principal, public_id: str) -> BulkImport:
    imported = session.scalar(
        select(BulkImport)
        .where(BulkImport.public_id == public_id, BulkImport.insurer_id == principal.insurer_id)
        .with_for_update(key_share=True)
    )
    if imported is None:
        raise NotFound(field="import")
    return imported


def _begin(session: Session, imported: BulkImport, principal: Principal, now: datetime) -> None:
    """Lines that could not be read are refused at once; the others are done one by one, also those that the trial
    refused: what was in their way may be gone."""
    if counts_of(session, imported.id, trial=True).get(REFUSED, 0) == imported.lines:
        raise NothingToImport()
    session.execute(
        update(BulkLine)
        .where(BulkLine.import_id == imported.id, BulkLine.readable.is_(False))
        .values(outcome=REFUSED, done_at=now)
        .execution_options(synchronize_session=False)
    )
    imported.started_by, imported.started_at = principal.id, now
