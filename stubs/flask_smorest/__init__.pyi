"""What of flask-smorest 0.47 this project uses; the library has no annotations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from apispec import APISpec
from flask import Blueprint as FlaskBlueprint
from flask import Flask, Response
from marshmallow import Schema
from webargs.flaskparser import FlaskParser
from werkzeug.routing import BaseConverter

_P = ParamSpec("_P")
_R = TypeVar("_R")
_View = TypeVar("_View", bound=Callable[..., Any])

class Blueprint(FlaskBlueprint):
    ARGUMENTS_PARSER: ClassVar[FlaskParser]

    def __init__(
        self, name: str, import_name: str, *, url_prefix: str | None = None, description: str | None = None
    ) -> None: ...
    # Wider than Flask's: what else is said goes to the document.
    def route(
        self,
        rule: str,
        *,
        parameters: Sequence[str | Mapping[str, Any]] | None = None,
        tags: Sequence[str] | None = None,
        **options: Any,
    ) -> Callable[[_View], _View]: ...
    # The decorated view is called without what the schema reads.
    def arguments(
        self,
        schema: Schema | type[Schema],
        *,
        location: str = "json",
        required: bool = True,
        description: str | None = None,
    ) -> Callable[[Callable[Concatenate[dict[str, Any], _P], _R]], Callable[_P, _R]]: ...
    # The decorated view answers with what the schema makes of its value.
    def response(
        self,
        status_code: int,
        schema: Schema | type[Schema] | Mapping[str, Any] | None = None,
        *,
        content_type: str | None = None,
        description: str | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> Callable[[Callable[_P, Any]], Callable[_P, Response]]: ...
    @staticmethod
    def doc(**kwargs: Any) -> Callable[[_View], _View]: ...

class Api:
    DEFAULT_ERROR_RESPONSE_NAME: ClassVar[str | None]
    spec: APISpec

    def __init__(self, app: Flask | None = None, *, config_prefix: str = ...) -> None: ...
    def register_converter(
        self, converter: type[BaseConverter], func: Callable[[BaseConverter], Mapping[str, Any]]
    ) -> None: ...
    def register_blueprint(self, blp: Blueprint) -> None: ...
    def _register_error_handlers(self) -> None: ...
