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


def test_the_lock_file_names_no_host() -> None:
    assert "http" not in (WEB.parents[1] / "package-lock.json").read_text()
