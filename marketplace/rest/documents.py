"""The documents for whoever writes a program, from the installation itself: they have no checkout."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache, cached_property
from pathlib import Path

from flask import Blueprint, Response, request

from marketplace.core.config import ROOT
from marketplace.core.errors import NotFound
from marketplace.rest.views import public

DOCS = ROOT / "docs"
CHINESE = ".zh.md"
"""How the name of a document in Chinese ends; the one in English has the same without `.zh`."""

_TYPES = {".md": "text/markdown", ".yaml": "application/yaml", ".json": "application/json"}
_KEPT = "public, max-age=300"


class Documents:
    """`<prefix>` and `<prefix>/<name>`: all of docs/<folder>/*.md, and what is served of docs/ `besides`. `title`
    stands over the list."""

    def __init__(self, folder: str, prefix: str, title: str, besides: Collection[str]) -> None:
        self._folder, self._prefix, self._title, self.besides = folder, prefix, title, besides
        self.blueprint = Blueprint(f"{folder}_documents", __name__, url_prefix=prefix)
        self.blueprint.get("", endpoint="index")(self._index)
        self.blueprint.get("/<name>", endpoint="document")(self._document)

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """What is served, by its name in the address; nothing else is."""
        found = (*sorted((DOCS / self._folder).glob("*.md")), *(DOCS / name for name in self.besides))
        return {each.name: each for each in found}

    @public
    def _index(self) -> Response:
        """A list of all by their titles: a line for each, with its Chinese beside it."""
        lines = [f"- {self._linked(name)}" for name in self.files if not name.endswith(CHINESE)]
        return _answer("\n".join([f"# {self._title}", "", *lines, ""]), ".md")

    @public
    def _document(self, name: str) -> Response:
        """One of them. Raises NotFound."""
        path = self.files.get(name)
        if path is None:
            raise NotFound(field="name")
        return _answer(self._text(path), path.suffix)

    def _text(self, path: Path) -> str:
        """A document as it is served: what stands beside its folder lies beside it here."""
        text = _read(path)
        return text.replace("](../", "](").replace(f"]({self._folder}/", "](") if path.suffix == ".md" else text

    def _linked(self, name: str) -> str:
        """A document's title as a link, and that of its Chinese where it has one."""
        both = [each for each in (name, name.removesuffix(".md") + CHINESE) if each in self.files]
        return " · ".join(f"[{_title(self.files[each])}]({self._prefix}/{each})" for each in both)


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _title(path: Path) -> str:
    first = _read(path).partition("\n")[0]
    return first.removeprefix("# ") if path.suffix == ".md" else path.name


def _answer(text: str, suffix: str) -> Response:
    """The text under its own type; as plain text to a browser, which would store the others away unread."""
    page = "text/html" in request.headers.get("Accept", "")
    kind = "text/plain" if page else _TYPES[suffix]
    answer = Response(text, content_type=f"{kind}; charset=utf-8")
    answer.headers["Cache-Control"] = _KEPT
    answer.vary.add("Accept")
    return answer
