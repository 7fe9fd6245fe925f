"""What looks into delivered files: a program of its own (`python -m booking.intake`), short-lived and held by limits.

booking/reports/files.py starts it and reads its verdict. Whoever is not this program imports `findings` alone, which is
plain data.
"""
