"""The marketplace itself: shared ground (core), catalogue, JSON API and pages."""
