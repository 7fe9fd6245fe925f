"""The API on the application: every resource, and the OpenAPI document."""

from __future__ import annotations

from flask import Flask

from marketplace.api.description import CUSTOMER_API
from marketplace.api.v1 import (
    booking_changes,
    bookings,
    consents,
    consultation_messages,
    consultations,
    coverage,
    entitlements,
    escorts,
    live,
    me,
    notifications,
    offers,
    personal,
    places,
    policies,
    problem_types,
    ratings,
    reports,
    sessions,
    shares,
    sites,
    venues,
    waiting,
)
from marketplace.rest import openapi

RESOURCES = (
    *(sessions, me, personal, consents, entitlements, policies, sites, places, venues, coverage),
    *(offers, bookings, booking_changes, escorts, waiting),
    *(consultations, consultation_messages, ratings),
    *(reports, shares, notifications, live, problem_types),
)


def install(app: Flask) -> None:
    """Add `/api/v1` to the application."""
    openapi.install(app, CUSTOMER_API, [resource.blueprint for resource in RESOURCES])
