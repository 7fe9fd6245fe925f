"""A problem as a page for people: the fact, the consequence, the next step."""

from __future__ import annotations

from flask import Response, request

from marketplace.problems import Problem
from marketplace.web.answers import render
from marketplace.web.error_words import error_words

_TOLD_BY_THEMSELVES = (409, 422)


def error_page(problem: Problem) -> Response:
    """The page of `problem`, with its status and headers; the reference only where somebody may ask for it."""
    title, text = error_words(problem.status)
    if problem.status in _TOLD_BY_THEMSELVES:
        title, text = problem.title, problem.detail
    headers = {name: value for name, value in problem.headers.items() if name != "WWW-Authenticate"}
    answer = render(
        "error.html",
        problem.status,
        error=problem.status,
        title=title,
        text=text,
        reference=problem.reference if problem.status == 500 else "",
        retry_url=_again(problem.status),
        wait=_seconds(headers.get("Retry-After", "")) if problem.status == 429 else 0,
    )
    answer.headers.update(headers)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _again(status: int) -> str:
    """The address to try again, where that may help: this page if it is one, else the page that the form was on."""
    if status not in (401, 403, 409, 500, 503) or request.url_rule is None:
        return ""
    return request.path if "GET" in (request.url_rule.methods or ()) else ""


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
