"""Every table the code knows: models register themselves in db.metadata when they are imported."""

from __future__ import annotations

import importlib
import pkgutil

import booking
import marketplace.catalog.coverage.models
import marketplace.catalog.models
import marketplace.catalog.one_place.models
import marketplace.chain.models
import marketplace.clients
import marketplace.core.audit
import marketplace.core.release
import providers.applying
import providers.conformance
import providers.staff
import vip

_OTHERS = ("booking.proposal", "booking.discrepancies", "booking.idempotency", "booking.listening")
"""Modules of another name that have tables."""


def import_models() -> list[str]:
    """Import all modules of models, found by their names (`models`, `consent_models` …), and return those names."""
    found = [
        module.name
        for package in (booking, marketplace.clients, providers.applying, providers.conformance, providers.staff, vip)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if module.name.endswith("models") or module.name in _OTHERS
    ]
    for name in found:
        importlib.import_module(name)
    return found
