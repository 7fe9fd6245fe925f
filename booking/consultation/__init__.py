"""Conversations of customers and doctors: opening, messages, closing."""
