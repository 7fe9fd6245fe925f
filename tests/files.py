"""Files as providers deliver them, sound and hostile, made by hand so that each byte is known."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping

_PAGES = (
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R >>",
)


def make_pdf(
    words: str = "a paper", *, root: bytes = b"", contents: bytes | None = None, more: tuple[bytes, ...] = ()
) -> bytes:
    """A PDF of one page. `root` is added to its catalogue, `contents` is the page's whole stream object."""
    drawn = f"BT /F1 12 Tf 20 100 Td ({words}) Tj ET".encode()
    page = contents or b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn)
    objects = (b"<< /Type /Catalog /Pages 2 0 R " + root + b" >>", *_PAGES, page, *more)
    made, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    made += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return made + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, made.index(b"\nxref\n") + 1)


def deflated(data: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    """A stream object that unpacks to `data`."""
    return _stream(zlib.compress(data, 9), filters)


def deflated_zeros(mebibytes: int) -> bytes:
    """The same for so many mebibytes of zeros."""
    return _stream(packed_zeros(mebibytes), b"/FlateDecode")


def packed_zeros(mebibytes: int) -> bytes:
    """Zeros in the form of zlib, put together from one packed mebibyte: to pack them all takes seconds."""
    packer = zlib.compressobj(9)
    first = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.flush()[:-4]
    checksum = ((mebibytes * 2**20) % 65521) << 16 | 1  # Adler-32 of zeros (RFC 1950, section 8.2)
    return first + again * (mebibytes - 1) + end + struct.pack(">I", checksum)


def _stream(packed: bytes, filters: bytes) -> bytes:
    return b"<< /Filter %s /Length %d >>\nstream\n%s\nendstream" % (filters, len(packed), packed)


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def make_png(
    width: int = 3,
    height: int = 2,
    *,
    packed: bytes | None = None,
    said: tuple[int, int] | None = None,
    more: bytes = b"",
) -> bytes:
    """A white picture in RGB. `said` is another size for its header, `packed` other data, `more` chunks before them."""
    raw = b"".join(b"\0" + b"\xff" * (3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", *(said or (width, height)), 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(raw, 9) if packed is None else packed)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + data + chunk(b"IEND", b"")


def make_zip(files: Mapping[str, bytes], *, mode: int = 0, twice: bool = False) -> bytes:
    """An archive; `mode` is the kind of file on Unix (a symlink …)."""
    paper = io.BytesIO()
    with zipfile.ZipFile(paper, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in (*files.items(), *(files.items() if twice else ())):
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return paper.getvalue()
