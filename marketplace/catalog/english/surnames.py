"""Which characters of a Chinese name are its surname."""

from __future__ import annotations

import re

DOUBLE = frozenset(
    re.findall("..", "欧阳司马上官诸葛东方皇甫尉迟公孙慕容令狐长孙宇文司徒夏侯轩辕端木南宫西门独孤钟离东郭呼延百里第五")
)
"""Surnames of two characters."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]{2,4}")


def given_name(name: str) -> str:
    """The given name of a name in two to four Chinese characters; blank of any other, since in letters the surname
    stands first or last. A name of four has a surname of two."""
    if not _CHINESE.fullmatch(name):
        return ""
    return name[2:] if len(name) == 4 or (len(name) == 3 and name[:2] in DOUBLE) else name[1:]
