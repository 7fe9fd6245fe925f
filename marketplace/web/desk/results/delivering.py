"""The desk's reports: the list of what is owed, and delivering or correcting one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.answering import shown
from booking.answering.answer import NotPossibleNow
from booking.answering.day import owed_reports
from booking.answering.named import names_of
from booking.changes.reschedule import OutOfDate
from booking.idempotency import Repeatable
from booking.reports.deliver import Delivery, StoredReport, deliver, reports_of
from booking.reports.files import LONGEST_CONCLUSION
from booking.reports.intake.findings import LARGEST, MIB
from booking.reports.typed import LONGEST, read_as, typed_results
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import IdempotencyKeyReused, Invalid, NotFound, Refusal
from marketplace.core.ids import new_token
from marketplace.edge import LARGE_FORM
from marketplace.web.answers import Views, asked, field, retry_after, see_other
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.results import delivering_page
from marketplace.web.desk.session import member
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from providers.reported import RemoteReport, ReportContent
from vip.principal import Member

_SHOWN = 50
_FORM_BYTES = LARGEST + MIB
_KINDS = {b"%PDF": "application/pdf", b"\x89PNG": "image/png", b"PK\x03\x04": "application/zip"}
_FHIR = "application/fhir+json"


def reports() -> Response:
    """What is owed, the first due at the top."""
    who, now = member(), clock.now()
    found = owed_reports(who.provider_id, cursor=asked("cursor", 500) or None, limit=_SHOWN, now=now)
    more = url_for("desk.reports", cursor=found.next) if found.next else ""
    return desk_page("results/owed", "reports", rows=tuple(map(delivering_page.owed, found.items)), more_url=more)


def report_new(booking: str) -> Response:
    """Deliver a report of this booking, or correct one; `look` shows first how the results are read."""
    who, now = member(), clock.now()
    if request.method != "POST":
        return _shown(who, booking, Form({"report": "", "status": "final", "key": new_token()}))
    values = {
        "report": field("report", 255),
        "status": field("status", 20),
        "results": request.form.get("results", "")[:LONGEST],
        "conclusion": field("conclusion", LONGEST_CONCLUSION),
        "key": field("key", 100) or new_token(),
    }
    try:
        if shown.booking(who.provider_id, booking).status not in shown.CAME:
            raise NotPossibleNow(state="confirmed")
        if field("look", 5):
            return _looked_at(who, booking, values)
        delivery = _delivery(who, booking, values, now)
        done = deliver(delivery, now=now)
    except Invalid as refusal:
        form = Form(values, {refusal.at or "document": wording.sentence(refusal)})
        return _shown(who, booking, form, refusal.status)
    except NotFound:
        raise
    except IdempotencyKeyReused as refusal:  # the way back to a form that was delivered
        form = Form({**values, "key": new_token()}, problem=delivering_page.delivered_before())
        return _shown(who, booking, form, refusal.status)
    except Refusal as refusal:
        form = Form(values, problem=delivering_page.refused(refusal))
        return retry_after(_shown(who, booking, form, refusal.status), refusal)
    flash(_("Delivered: version %(number)s.", number=done.stored.version), "ok")
    return see_other(url_for("desk.report_new", booking=booking))


def _looked_at(who: Member, booking: str, values: dict[str, str]) -> Response:
    readings = read_as(who.provider_id, booking, typed_results(_results()))
    return _shown(who, booking, Form(values), readings=tuple(map(delivering_page.reading, readings)), looked=True)


def _delivery(who: Member, booking: str, values: dict[str, str], now: datetime) -> Delivery:
    """What the form holds. Raises Invalid for a field, NotFound."""
    if values["status"] not in ("partial", "final", "corrected"):
        raise Invalid(field="status", reason="choice")
    items = typed_results(_results())
    conclusion = _field_or_refuse("conclusion", LONGEST_CONCLUSION)
    if values["status"] == "corrected" and not values["report"]:
        raise Invalid(field="report", reason="typed_correction")
    document = _document()
    if items and _type_of(document) == _FHIR:  # one of them would hide the other's
        raise Invalid(field="results", reason="typed_beside_fhir")
    reference, version = _named(reports_of(who.provider_id, booking), booking, values)
    remote = RemoteReport(
        reference=reference,
        booking_reference="",
        our_reference=booking,
        version=version,
        status=values["status"],  # type: ignore[arg-type]
        issued_at=now,
    )
    content = ReportContent(remote, items, conclusion, document, _type_of(document))
    digest = hashlib.sha256(document).hexdigest()
    given = [values["report"], values["status"], values["results"], conclusion, digest]
    repeat = Repeatable(f"member:{who.public_id}", values["key"], hashlib.sha256(json.dumps(given).encode()).digest())
    return Delivery(who.provider_id, booking, content, digest, repeat, member=who.public_id)


def _named(stored: list[StoredReport], booking: str, values: Mapping[str, str]) -> tuple[str, int]:
    """The reference and version of what is delivered: the one after the version that was seen of the report that was
    chosen, else a new report's first, whose name comes from the form: sent again it is the same. Raises Invalid, and
    OutOfDate where another version has come since."""
    if not values["report"]:
        return f"{booking}-{hashlib.sha256(values['key'].encode()).hexdigest()[:10]}r", 1
    reference, _at, seen = values["report"].rpartition("@")
    for each in stored:
        if each.reference == reference and seen.isascii() and seen.isdecimal() and len(seen) < 10:
            if each.newest not in (int(seen), int(seen) + 1):
                raise OutOfDate()
            return reference, int(seen) + 1
    raise Invalid(field="report", reason="choice")


def _results() -> str:
    """The results as they were typed: a tab at the beginning is an empty cell. Raises Invalid."""
    text = request.form.get("results", "")
    if len(text) > LONGEST:
        raise Invalid(field="results", reason="too_long", maximum=LONGEST)
    return text


def _field_or_refuse(name: str, longest: int) -> str:
    """A field that must not be dropped because it is too long. Raises Invalid."""
    if len(request.form.get(name, "")) > longest:
        raise Invalid(field=name, reason="too_long", maximum=longest)
    return field(name, longest)


def _document() -> bytes:
    """The chosen file. Raises Invalid(field="document")."""
    given = request.files.get("document")
    content = given.stream.read(LARGEST + 1) if given is not None else b""
    if not content:
        raise Invalid(field="document", reason="report_file")
    if len(content) > LARGEST:
        raise Invalid(field="document", reason="report_file_large", maximum=LARGEST // MIB)
    return content


def _type_of(document: bytes) -> str:
    """What the file is by its first bytes; the examiner looks at the rest."""
    for begins, kind in _KINDS.items():
        if document.startswith(begins):
            return kind
    return _FHIR


def _shown(who: Member, booking: str, form: Form, status: int = 200, **more: Any) -> Response:
    found = shown.booking_of_report(who.provider_id, booking, looker=who.public_id, now=clock.now())
    stored = reports_of(who.provider_id, booking)
    page = delivering_page.page(found, by_language(names_of(who.provider_id)[found.booking.offer]), stored)
    if not form.values.get("report") and request.method != "POST":
        form = Form({**form.values, "report": page.only, "status": page.likely})
    return desk_page(
        "results/deliver",
        "reports",
        status,
        page=page,
        form=form,
        longest=LONGEST,
        longest_conclusion=LONGEST_CONCLUSION,
        largest=LARGEST,
        file_gone=bool(request.files.get("document")),  # a browser keeps everything of a form but its file
        **{"readings": (), "looked": False, **more},
    )


setattr(report_new, LARGE_FORM, _FORM_BYTES)

VIEWS: Views = {"reports": reports, "report_new": report_new}
