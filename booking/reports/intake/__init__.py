"""What looks into delivered files: a program of its own, short-lived and held by limits.

`python -m booking.reports.intake`: booking/reports/files.py starts it and reads its verdict.
Whoever is not this program imports `findings` alone, which is
plain data.
"""
