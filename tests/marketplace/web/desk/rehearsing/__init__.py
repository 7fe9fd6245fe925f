"""Tests of marketplace.web.desk.rehearsing."""
