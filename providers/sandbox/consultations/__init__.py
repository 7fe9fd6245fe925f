"""Consultations: doctors on a roster who answer what a customer writes, from a script, after a time that is set."""
