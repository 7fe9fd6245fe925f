"""What the sealed values of workers and assignments are bound to."""

from __future__ import annotations


def phone_record(worker: str) -> str:
    """The record that a worker's phone number is sealed for, by her public id."""
    return f"escort_worker:{worker}:phone"


def safe_word_record(assignment: str) -> str:
    """The record that the safe word of an assignment is sealed for, by its public id."""
    return f"escort_assignment:{assignment}:safe_word"


def code_record(assignment: str) -> str:
    """The record that the customer's code of an assignment is sealed for, by its public id."""
    return f"escort_assignment:{assignment}:code"
