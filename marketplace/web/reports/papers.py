"""Papers of reports as answers: somebody else's file, which runs nothing and reaches nothing of ours."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, make_response

from booking.reports.box import Document
from marketplace.catalog.kinds import words_of
from marketplace.web.language import by_language

POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'"
"""Should a browser read more than a paper in it."""
_ENDINGS = {"application/pdf": "pdf", "image/png": "png", "application/fhir+json": "fhir.json"}


def paper_answer(document: Document, number: str = "", *, save: bool = False) -> Response:
    """The file, to be read in the browser or (`save`) kept; its name holds the day and version and nobody's name."""
    answer = make_response(document.content)
    answer.content_type = document.media_type
    ending = _ENDINGS.get(document.media_type, "bin")
    plain = f"{document.service_date.isoformat()}-v{document.version}{number}.{ending}"
    local = quote(f"{by_language(words_of(document.kind).report)}-{plain}", safe="")
    way = "attachment" if save else "inline"
    answer.headers["Content-Disposition"] = f"{way}; filename=\"report-{plain}\"; filename*=UTF-8''{local}"
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "no-store"
    return answer


def position_of(text: str) -> int:
    """A paper's place in an address; -1, where no paper is, for what is no small number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else -1
