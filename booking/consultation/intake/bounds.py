"""How large a picture may be, as it comes and as it is stored."""

from __future__ import annotations

MIB = 2**20
LARGEST = 10 * MIB
"""The most bytes of a picture that is sent."""
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 20_000
STORED_SIDE, THUMBNAIL_SIDE = 2_048, 320
"""The longest sides of the picture that is stored, and of the small one."""
LARGEST_STORED = 8 * MIB
