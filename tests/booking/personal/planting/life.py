"""Whose life it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.world import World


@dataclass
class Life:
    """A customer and her father, who agreed that she sees his reports; `values`: what was planted where, by table and
    column, `paper` is in the PDF."""

    world: World
    mark: str
    father: str
    bookings: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    values: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def customer(self) -> int:
        return self.world.customer.id
