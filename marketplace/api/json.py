"""How answers become JSON: by orjson, ten times as fast as Python's own, which also writes dates and moments."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response
from flask.json.provider import DefaultJSONProvider

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


class Json(DefaultJSONProvider):
    """Flask's JSON, for all that `jsonify` writes."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Compact UTF-8, in the order of the keys; moments as RFC 3339."""
        return orjson.dumps(obj, self.default, _OPTIONS).decode()

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """An answer of `application/json`, without the way through text."""
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), self.default, _OPTIONS)
        return Response(body + b"\n", mimetype=self.mimetype)
