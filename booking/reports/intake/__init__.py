"""The examiner of delivered files: a short-lived program of its own, with limits on all it uses.

`python -m booking.reports.intake`: booking/reports/files.py starts it and reads its verdict. Other modules import only
`findings`, which is plain data.
"""
