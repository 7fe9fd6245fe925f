"""The examiner of pictures that people send: a short-lived program of its own, with limits on all it uses.

`python -m booking.consultation.intake`: booking/consultation/pictures.py starts it and reads its verdict. Other modules
import only `bounds`, which is plain data.
"""
