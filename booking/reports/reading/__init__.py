"""Interpreting delivered results: item, unit, value and flag."""
