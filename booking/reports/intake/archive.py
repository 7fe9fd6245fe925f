"""ZIP (APPNOTE 6.3): a flat folder of a few PDF and PNG files. Its bytes are counted while it is
unpacked, and nothing is written to disk."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib

from booking.reports.intake import pdf, png
from booking.reports.intake.findings import LARGEST_UNPACKED, MIB, MOST_PAPERS, PDF, PNG, ZIP, Paper, Refused, kind_of

MOST_TIMES = 200
"""How many times its packed size a file may have, if it is larger than SMALL."""
SMALL = 1 * MIB
LARGEST_FILE = 10 * MIB
LONGEST_NAME = 200
_PIECE = 2**16
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def examine(content: bytes) -> tuple[Paper, ...]:
    """The papers in the order of the archive.

    Raises Refused: zip_broken, zip_empty, zip_too_many, zip_too_large, zip_bomb, zip_path, zip_link, zip_encrypted,
    zip_nested, dicom, wrong_type, and what pdf and png refuse.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if not entries:
                raise Refused("zip_empty")
            if len(entries) > MOST_PAPERS:
                raise Refused("zip_too_many")
            for entry in entries:
                _judge(entry)
            if sum(entry.file_size for entry in entries) > LARGEST_UNPACKED:
                raise Refused("zip_too_large")
            return tuple(_paper(archive, entry) for entry in entries)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        UnicodeError,
        ValueError,
        OverflowError,
    ) as bad:
        raise Refused("zip_broken") from bad


def _judge(entry: zipfile.ZipInfo) -> None:
    """Refuse a file by its directory entry, before anything is unpacked."""
    name = entry.orig_filename
    if entry.flag_bits & _ENCRYPTED:
        raise Refused("zip_encrypted")
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or set(name) & set('/\\:*?"<>|'):
        raise Refused("zip_path")
    if name.startswith(".") or ".." in name or name != name.strip():
        raise Refused("zip_path")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise Refused("zip_link")
    if entry.compress_type not in _METHODS:
        raise Refused("zip_broken")
    if entry.file_size > LARGEST_FILE:
        raise Refused("zip_too_large")
    if entry.file_size > SMALL and entry.file_size > MOST_TIMES * max(entry.compress_size, 1):
        raise Refused("zip_bomb")


def _paper(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Paper:
    read = bytearray()
    with archive.open(entry) as file:
        while piece := file.read(_PIECE):
            read += piece
            if len(read) > entry.file_size:  # the directory said less
                raise Refused("zip_bomb")
    content = bytes(read)
    kind = kind_of(content)
    if kind == ZIP:
        raise Refused("zip_nested")
    if kind == PDF:
        return pdf.examine(content)
    if kind == PNG:
        return png.examine(content)
    raise Refused("wrong_type")
