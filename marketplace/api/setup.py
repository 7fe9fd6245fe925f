"""The API on the application: every resource, and the OpenAPI document."""

from __future__ import annotations

from flask import Flask

from marketplace.api.description import CUSTOMER_API
from marketplace.api.v1 import (
    booking_changes,
    bookings,
    consents,
    entitlements,
    me,
    notifications,
    offers,
    personal,
    problem_types,
    reports,
    sessions,
    shares,
    sites,
    waiting,
)
from marketplace.rest import openapi

RESOURCES = (
    *(sessions, me, personal, consents, entitlements, sites, offers, bookings, booking_changes, waiting),
    *(reports, shares, notifications, problem_types),
)


def install(app: Flask) -> None:
    """Add `/api/v1` to the application."""
    openapi.install(app, CUSTOMER_API, [resource.blueprint for resource in RESOURCES])
