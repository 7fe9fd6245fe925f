"""What a refusal is told in. `marketplace.wording` chooses among the words and fills in the facts.

A sentence never repeats what the caller sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel.speaklater import LazyString


@dataclass(frozen=True)
class Words:
    """`title` names the kind of refusal and is the same each time; `sentence` may use facts as `%(name)s`."""

    title: LazyString | str
    sentence: LazyString | str
