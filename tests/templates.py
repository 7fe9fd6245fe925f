"""The pages' templates, compiled once a run: many modules make an application of their own, and each would compile
them anew."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from jinja2 import BytecodeCache, Environment, FileSystemBytecodeCache
from jinja2.bccache import Bucket


class _Kept(FileSystemBytecodeCache):
    """Jinja's own goes by a template's name and text; what the application sets decides too what is made of it."""

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """What is kept of this text for an application with these settings."""
        settings = (
            environment.trim_blocks,
            environment.lstrip_blocks,
            sorted(environment.extensions),
            sorted((key, repr(value)) for key, value in environment.policies.items()),
        )
        return super().get_bucket(environment, name, f"{filename} {settings}", source)


def compile_once(folder: Path) -> None:
    """From now on every Flask application of this process keeps in `folder` what it compiles."""
    folder.mkdir(exist_ok=True)
    kept: BytecodeCache = _Kept(str(folder))
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": kept}
