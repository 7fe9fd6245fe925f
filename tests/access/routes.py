"""Whether the table and the application's map of addresses have the same routes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from flask import Flask

from tests.access.row import Row

_FILES = "assets.static"


def routes_of(app: Flask) -> set[str]:
    """`METHOD rule` of every route, the static files aside."""
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if rule.endpoint != _FILES
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def gaps(app: Flask, table: Iterable[Row]) -> list[str]:
    """What is missing in the table, or is too much, in sentences that say what to do."""
    counted, routes = Counter(row.route for row in table), routes_of(app)
    return [
        *(
            f"{route} has no line: add one to tests/access/table, in the file of its door, that says who may ask it,"
            " what they are answered, and what is sent so that it would be done"
            for route in sorted(routes - counted.keys())
        ),
        *(f"{route} has a line and no route: take the line away" for route in sorted(counted.keys() - routes)),
        *(f"{route} has {lines} lines: leave one" for route, lines in sorted(counted.items()) if lines > 1),
    ]
