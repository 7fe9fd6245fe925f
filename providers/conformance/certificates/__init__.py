"""Certificates: what a provider has proved, until when that counts, and which offers are given out because of it."""
