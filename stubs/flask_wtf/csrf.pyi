"""What of Flask-WTF 1 this project uses; the library has no annotations."""

from flask import Flask
from werkzeug.exceptions import BadRequest

class CSRFError(BadRequest): ...

class CSRFProtect:
    def init_app(self, app: Flask) -> None: ...
    def protect(self) -> None: ...
