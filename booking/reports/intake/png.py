"""PNG (ISO/IEC 15948, W3C PNG third edition): every chunk checked, the picture unpacked within limits and thrown away.

Only the picture is stored: texts, places, thumbnails and bytes after its end are left out.
"""

from __future__ import annotations

import struct
import zlib

from booking.reports.intake.findings import PNG, Paper, Refused

MOST_PIXELS = 40_000_000
LONGEST_SIDE = 20_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_STORED = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"bKGD")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def examine(content: bytes) -> Paper:
    """The picture without what it does not need. Raises Refused: png_broken, png_too_large, png_bomb."""
    chunks = _chunks(content)
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13 or chunks[-1] != (b"IEND", b""):
        raise Refused("png_broken")
    if sum(name == b"IHDR" for name, _ in chunks) != 1:
        raise Refused("png_broken")
    _unpack(b"".join(data for name, data in chunks if name == b"IDAT"), _size(chunks[0][1]))
    stored = [(name, data) for name, data in chunks if name in _STORED]
    return Paper(PNG, _SIGNATURE + b"".join(_written(name, data) for name, data in stored))


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Name and data up to IEND, each with its checksum right."""
    found = []
    position = len(_SIGNATURE)
    while position + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, position)
        name = content[position + 4 : position + 8]
        end = position + 8 + length
        if end + 4 > len(content) or not name.isalpha():
            raise Refused("png_broken")
        data = content[position + 8 : end]
        if zlib.crc32(name + data) != struct.unpack_from(">I", content, end)[0]:
            raise Refused("png_broken")
        if name[:1].isupper() and name not in _STORED:  # an upper-case first letter: needed to show the picture
            raise Refused("png_broken")
        found.append((name, data))
        if name == b"IEND":
            break
        position = end + 4
    return found


def _size(header: bytes) -> int:
    """How many bytes the picture has unpacked, filter bytes included."""
    width: int
    height: int
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", header)
    if not width or not height or depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise Refused("png_broken")
    if width > LONGEST_SIDE or height > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise Refused("png_too_large")
    bits: int = depth * _CHANNELS[colour]
    if not interlace:
        return height * (1 + (width * bits + 7) // 8)
    total = 0
    for left, top, across, down in _ADAM7:  # the seven passes of an interlaced picture
        columns, rows = -(-max(width - left, 0) // across), -(-max(height - top, 0) // down)
        total += rows * (1 + (columns * bits + 7) // 8) if columns else 0
    return total


def _unpack(packed: bytes, wanted: int) -> None:
    """Unpack piece by piece and count: not a byte more or less than the header says."""
    unpacker = zlib.decompressobj()
    counted, rest = 0, packed
    while rest and not unpacker.eof:
        try:
            counted += len(unpacker.decompress(rest, 2**16))
        except zlib.error as broken:
            raise Refused("png_broken") from broken
        if counted > wanted:
            raise Refused("png_bomb")
        rest = unpacker.unconsumed_tail
    if counted != wanted or not unpacker.eof:
        raise Refused("png_broken")


def _written(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
