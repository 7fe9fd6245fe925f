"""The examiner of tables that people send, CSV and XLSX: a short-lived program of its own, with limits on all it uses.

`python -m marketplace.core.bulk.intake`: marketplace/core/bulk/table.py starts it and reads its verdict. Other modules
import only `bounds`, which is plain data.
"""
