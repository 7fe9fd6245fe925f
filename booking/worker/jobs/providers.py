"""Jobs about how providers do, and what they try and prove."""

from __future__ import annotations

from booking.certifying.carry_out import certify_due, take_back_left
from booking.health.answers import count_answers
from booking.health.slowly import note_slow
from booking.joining.carry_out import carry_out_tests
from booking.programs.clean import take_back_trials
from booking.programs.run import try_program
from booking.rehearsals.carry_out import carry_on
from booking.worker.jobs.job import Job
from marketplace.core import clock
from providers.conformance.certificates.issue import tend_certificates


def jobs() -> list[Job]:
    """The jobs."""
    return [
        Job("answers", 60, lambda: count_answers(now=clock.now())),
        Job("slow_providers", 15, lambda: note_slow(now=clock.now())),
        Job("certificates", 60, lambda: tend_certificates(now=clock.now())),
        Job("conformance", 3, lambda: certify_due(clock.now, try_program)),
        Job("conformance-left", 60, take_back_left),
        Job("conformance-trials", 60, lambda: take_back_trials(clock.now)),
        Job("system_tests", 2, lambda: carry_out_tests(clock.now)),
        Job("rehearsals", 1, lambda: carry_on(clock.now)),
    ]
