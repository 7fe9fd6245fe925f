"""DiagnosticReports with their Observations and papers, as one FHIR document (booking.reports.intake.fhir reads it).

Nothing of a result is interpreted here, and no number is rounded: the document holds the digits that the server sent.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from providers.adapters import fields
from providers.adapters.fhir.appointments import our_reference
from providers.adapters.fhir.options import Options
from providers.adapters.fhir.server import FHIR_JSON, BadStatus, FhirServer, Gone, Resource
from providers.adapters.fhir.slots import MILLISECOND, id_in, last_updated
from providers.adapters.http import MAX_BODY, Deadline, Reply
from providers.adapters.versions import at_time
from providers.port import Connection, NotAuthorised, Oversize, ProviderError
from providers.reported import RemoteReport, ReportContent

STATUSES: dict[str, Literal["partial", "final", "corrected"]] = {
    "partial": "partial",
    "preliminary": "partial",
    "final": "final",
    "amended": "corrected",
    "corrected": "corrected",
    "appended": "corrected",
    # What was withdrawn is announced as a correction; its document is refused, and a person is asked.
    "cancelled": "corrected",
    "entered-in-error": "corrected",
}
NOT_YET = "registered"
MOST_DIGITS = 6
"""Of a version that is counted."""
MOST_PAPERS = 20
"""As many as the intake takes (booking.reports.intake.findings); of a report with more none is fetched."""
AT_ONCE = 50
MOST_RESULTS = 2_000
DEEPEST_PANEL = 5
_WHO = ("resourceType", "id", "name", "birthDate", "identifier")


def read_report(resource: Mapping[str, Any], system: str) -> RemoteReport:
    """A DiagnosticReport as listed: its identifier of our system says whose booking it is of. Raises ProviderError."""
    status = STATUSES.get(fields.text(resource, "status"))
    if status is None:
        raise fields.BadField("status", "unknown", "a report of unknown status")
    changed = last_updated(resource)
    return RemoteReport(
        reference=fields.reference(resource, "id"),
        booking_reference="",
        our_reference=our_reference(resource, system),
        version=_version(resource, changed),
        status=status,
        issued_at=fields.moment(resource, "issued") or changed,
    )


def _version(resource: Mapping[str, Any], changed: datetime) -> int:
    """The server's own number of a version where it counts them, which people are shown; else the time of the change.
    A number by time is larger than any that is counted, so that versions grow also where a server changes its ways."""
    told = fields.object_at(resource, "meta").get("versionId")
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) <= MOST_DIGITS:
        return int(told)
    return at_time(changed, MILLISECOND)


class ExactNumbers:
    """JSON whose decimal numbers are written as they were read."""

    def __init__(self) -> None:
        self._mark = secrets.token_hex(12)
        self._bytes = 0

    def count(self, reply: Reply) -> None:
        """Count what was read for one report. Raises Oversize beyond MAX_BODY, so that no more is kept."""
        self._bytes += len(reply.body)
        if self._bytes > MAX_BODY:
            raise Oversize("the report is too large")

    def read(self, reply: Reply) -> Resource:
        """An object, its decimal numbers as marked texts; counted. Raises ProviderError, Oversize."""
        self.count(reply)
        try:
            value = json.loads(reply.body, parse_float=lambda digits: self._mark + digits)
        except (ValueError, RecursionError) as error:
            raise ProviderError("the answer is not JSON") from error
        if not isinstance(value, dict):
            raise ProviderError("the answer is not a JSON object")
        return value

    def written(self, value: Any) -> bytes:
        """What was read, as JSON."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return re.sub(f'"{self._mark}([^"]*)"', r"\1", text).encode()


class Reports:
    """A report of one server, and what belongs to it."""

    def __init__(self, connection: Connection, options: Options) -> None:
        self._numbers = ExactNumbers()
        self._server = FhirServer(connection, options, parse=self._numbers.read)
        self._system = options.identifier_system

    def fetch(self, wanted: RemoteReport) -> ReportContent:
        """The report as it is now, within one deadline: that may be a newer version than the one announced. Raises
        ProviderError, Oversize."""
        deadline = self._server.deadline()
        report = self._server.read("DiagnosticReport", wanted.reference, deadline)
        found = read_report(report, self._system)
        if found.version < wanted.version:
            raise ProviderError("an older report than the one announced")
        forms = _objects(report, "presentedForm")
        if len(forms) <= MOST_PAPERS:
            forms = [self._paper(form, deadline) for form in forms]
        elif not all(form.get("data") for form in forms):
            raise Oversize("the report has too many papers")
        report = {**report, "presentedForm": forms}
        results = list(self._results(report, deadline))
        entries = [report, *results, *self._patient((report, *results), deadline)]
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {"fullUrl": f"{self._server.base}/{each['resourceType']}/{each['id']}", "resource": each}
                for each in entries
            ],
        }
        document = self._numbers.written(bundle)
        if len(document) > MAX_BODY:
            raise Oversize("the report is too large")
        return ReportContent(found, (), "", document, FHIR_JSON)

    def _results(self, report: Resource, deadline: Deadline) -> Iterable[Resource]:
        """The Observations that the report names, and the members of panels."""
        found: dict[str, Resource] = {}
        wanted = self._ids(_objects(report, "result"))
        for _ in range(DEEPEST_PANEL):
            ids = [each for each in dict.fromkeys(wanted) if each not in found]
            if not ids or len(found) + len(ids) > MOST_RESULTS:
                break
            wanted = []
            for start in range(0, len(ids), AT_ONCE):
                part = ids[start : start + AT_ONCE]
                for row in self._server.all("Observation", {"_id": ",".join(part), "_count": str(AT_ONCE)}, deadline):
                    if isinstance(row, dict) and row.get("id") in part:
                        found[row["id"]] = row
                        wanted += self._ids(_objects(row, "hasMember"))
        return found.values()

    def _patient(self, resources: Iterable[Resource], deadline: Deadline) -> Sequence[Resource]:
        """The Patient of this server that is named first, with no more than what says who that is. None where it is not
        there or not ours to read: then the report is what it says itself."""
        subjects = (each["subject"] for each in resources if isinstance(each.get("subject"), dict))
        identity = next(iter(self._ids(subjects, "Patient")), None)
        if identity is None:
            return ()
        try:
            found = self._server.read("Patient", identity, deadline)
        except (Gone, NotAuthorised):
            return ()
        except BadStatus as error:
            if error.status >= 500:
                raise
            return ()
        return [{name: found[name] for name in _WHO if name in found}]

    def _ids(self, references: Iterable[Resource], kind: str = "Observation") -> list[str]:
        """Ids of the resources of this kind on this server that are referred to."""
        addresses = (fields.text(each, "reference", "") for each in references)
        here = (self._server.below_base(address) for address in addresses if not address.startswith("#"))
        ids = (id_in({"reference": path}, kind) for path in here if path)
        return [each for each in ids if each is not None]

    def _paper(self, form: Resource, deadline: Deadline) -> Resource:
        """An attachment with its content, where that is on this server; as it is where it is elsewhere."""
        address = fields.text(form, "url", "")
        path = self._server.below_base(address) if address and not form.get("data") else None
        if not path:
            return form
        kind = fields.text(form, "contentType", "") or "application/pdf"
        reply = self._server.raw(path, kind, deadline)
        if reply.content_type in (FHIR_JSON, "application/json"):
            data = fields.text(self._numbers.read(reply), "data")
        else:
            self._numbers.count(reply)
            data = base64.b64encode(reply.body).decode()
        return {**form, "data": data}


def _objects(resource: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [] if resource.get(name) is None else fields.objects_at(resource, name)
