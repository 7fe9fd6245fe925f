"""A live provider and its twin are never called at one address: else a test reaches what is live, or the reverse."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Provider
from marketplace.core.errors import Invalid
from providers.adapters.settings import TEST_SETTINGS, addresses_in
from providers.registry import ADAPTERS, settings_schema

_BASE = "base_url"
_PORTS = {"http": 80, "https": 443}

Place = tuple[str, str, int, str]
"""Scheme, host, port and path of an address, however it is written."""


def place(url: str) -> Place:
    """Where an address leads. Two that are written in different ways may lead to one place: letters of the host, its
    last dot, a port that is understood, a slash at the end of the path. A query is no part of it."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    path = posixpath.normpath("/" + unquote(parts.path).lstrip("/"))
    return parts.scheme, host, parts.port or _PORTS.get(parts.scheme, 0), path


def judge_apart(
    session: Session, provider: Provider, adapter: str, base_url: str, settings: Mapping[str, str], *, lock: bool
) -> None:
    """Refuse a system for the provider that its other side is called at. Raises Invalid (the field of the address;
    `live_system` for a twin's, `test_system` for a live one's).

    A live provider may be tried at its twin's system, and both may ask for tokens at one place. With `lock` the
    caller, in its transaction, has the provider's row, and the live one's is locked: of two sides that are joined at
    once the second is refused.
    """
    live_id = provider.id if provider.twin_of is None else provider.twin_of
    if lock and provider.id != live_id:
        session.execute(select(Provider.id).where(Provider.id == live_id).with_for_update(key_share=True))
    wanted = Provider.twin_of == provider.id if provider.id == live_id else Provider.id == live_id
    other = session.scalar(select(Provider).where(wanted).execution_options(populate_existing=True))
    if other is None:
        return
    theirs = _places(other.adapter, other.base_url, other.settings, test=other.test)
    for name, ours in _places(adapter, base_url, settings, test=provider.test).items():
        for their_name, their in theirs.items():
            if ours == their and not {name, their_name}.isdisjoint((_BASE, *TEST_SETTINGS)):
                raise Invalid(field=name, reason="live_system" if provider.test else "test_system")


def _places(adapter: str, base_url: str, settings: Mapping[str, str], *, test: bool) -> dict[str, Place]:
    """Where a side is called, by the name of the address; where the live one is tried is none of its own."""
    found = {_BASE: base_url} if base_url else {}
    if adapter in ADAPTERS:
        found |= addresses_in(settings_schema(adapter), settings)
    return {name: place(url) for name, url in found.items() if test or name not in TEST_SETTINGS}
