"""Signing in at the console."""

from __future__ import annotations

from marketplace.web.urls import OPERATOR_PAGES
from tests.marketplace.web.visitors import Visitor

DOOR = "/operators/sign-in"

PASSWORD = "a long password"

PAGES = [page.rule for page in OPERATOR_PAGES if not page.open and "GET" in page.methods and "<" not in page.rule]


def enter(visitor: Visitor, name: str = "lin", password: str = PASSWORD, **more: str):  # type: ignore[no-untyped-def]
    return visitor.post(DOOR, DOOR, name=name, password=password, **more)
