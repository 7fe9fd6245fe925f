"""What the strict content policy and the design ask of templates and style sheets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from marketplace.web.assets import CONTENT_POLICY

WEB = Path(__file__).resolve().parents[2] / "marketplace" / "web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
NAMED_ICON = re.compile(r"""(?:\b|_)(?:icon|drawing)(?:: str)?\s*[(=]\s*["']([a-z0-9-]+)["']""")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_inline_style_or_script(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"\sstyle=|<style|\son[a-z]+=|javascript:|\shx-on", text) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []


ATTRIBUTE = re.compile(r"""\bclass="((?:\{\{.*?\}\}|\{%.*?%\}|[^"])*)\"""")
PUT_IN = re.compile(r"(\S?)\{\{(.*?)\}\}")
QUOTED = re.compile(r"(== |in )?'([^']*)'(\s*:)?")
"""A text, and whether it is compared with or a key: then it is no name."""


def classes_in(text: str) -> tuple[set[str], set[str]]:
    """The names in the class attributes of a template: whole ones, and beginnings to which a value is added (`btn--` of
    `btn--{{ look }}`)."""
    names: list[str] = []
    for found in ATTRIBUTE.findall(re.sub(r"(?s)\{#.*?#\}", "", text)):
        for before, said in PUT_IN.findall(found):
            values = [value for compared, value, key in QUOTED.findall(said) if not compared and not key]
            values = [value for value in values if value.startswith(" ") or not before.strip()]
            names += [name for value in values for name in value.split()]
        names += re.sub(r"\{%.*?%\}", " ", PUT_IN.sub(r"\1\0", found)).split()
    begun = {name.split("\0")[0].rstrip("\0") for name in names if "\0" in name or name.endswith("--")}
    return {name for name in names if "\0" not in name and not name.endswith("--")}, begun - {""}


def test_every_class_of_a_template_is_in_a_style_sheet() -> None:
    sheets = "".join(path.read_text() for path in (WEB / "static" / "css").glob("*.css"))
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"/\*.*?\*/", "", sheets, flags=re.DOTALL)))
    whole, begun = (
        set().union(*each) for each in zip(*(classes_in(path.read_text()) for path in TEMPLATES), strict=True)
    )
    assert sorted(whole - styled) == []
    assert sorted(start for start in begun if not any(name.startswith(start) for name in styled)) == []


def test_classes_are_read_from_plain_text_and_from_what_is_put_into_it() -> None:
    text = """<p class="a b--{{ it.tone }}{{ ' c d' if it.x == 'no' }}{% if y %} e{% endif %}">{# class="f" #}"""
    assert classes_in(text) == ({"a", "c", "d", "e"}, {"b--"})


def test_the_policy_allows_nothing_inline() -> None:
    assert "unsafe" not in CONTENT_POLICY
    assert "script-src 'self'" in CONTENT_POLICY


def test_both_dark_palettes_are_the_same() -> None:
    css = (WEB / "static" / "css" / "tokens.css").read_text()
    chosen = re.search(r':root\[data-theme="dark"\] \{(.*?)\}', css, re.DOTALL)
    system = re.search(r':root:not\(\[data-theme="light"\]\) \{(.*?)\}', css, re.DOTALL)
    assert chosen is not None and system is not None
    assert chosen[1].split() == system[1].split()


def test_every_icon_that_is_named_is_in_the_sprite() -> None:
    sprite = (WEB / "static" / "vendor" / "icons.svg").read_text()
    drawn = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    naming = (*TEMPLATES, *WEB.rglob("*.py"), *WEB.with_name("catalog").rglob("*.py"))
    named = {name for path in naming for name in NAMED_ICON.findall(path.read_text())}
    assert named - drawn == set(), "run `npm ci && npm run vendor`"
    assert drawn - named == set(), "run `npm ci && npm run vendor`"


@pytest.mark.parametrize("folder", [".", "tests/fhir-server"])
def test_a_lock_file_of_npm_names_no_host(folder: str) -> None:
    assert "http" not in (WEB.parents[1] / folder / "package-lock.json").read_text()
