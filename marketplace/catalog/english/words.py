"""The words that names of hospitals are made of, in English: `data/english-hospital-words.csv`.

`use` says where a word counts: `house`, the kind of house that a name ends with; `word`, anywhere in a name; `owner`,
how the name of an owner ends ({} is what it begins with); `university`, an owner whose name is no matter of rule.
"""

from __future__ import annotations

import csv

from marketplace.core.config import ROOT

FILE = ROOT / "data" / "english-hospital-words.csv"


def _read() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"house": {}, "word": {}, "owner": {}, "university": {}}
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["use"]][row["chinese"]] = row["english"]
    return found


_FOUND = _read()
HEADS, WORDS, OWNERS, UNIVERSITIES = (_FOUND[use] for use in ("house", "word", "owner", "university"))
