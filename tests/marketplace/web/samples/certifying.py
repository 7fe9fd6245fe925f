"""The pages about what was tried of a provider, at its desk and in the console."""

from __future__ import annotations

from tests.marketplace.web.samples.certified import past, run
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.desk import desk_page
from tests.marketplace.web.samples.everyday import ZONE, Context


def desk_run(state: str = "done", before: bool = False) -> Context:
    return desk_page("system", it=run(state, before))


def console_run(state: str = "done") -> Context:
    return console_page("providers", it=run(state), back="/operators/providers/hexin/certificates", zone=ZONE)


def console_certificates(none: bool = False) -> Context:
    return console_page("providers", it=past(none), zone=ZONE)
