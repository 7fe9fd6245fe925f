"""The jobs of the worker's clock."""

from __future__ import annotations

import pkgutil
from collections import Counter
from threading import Event
from types import ModuleType

from booking.worker import jobs
from booking.worker.jobs import every
from booking.worker.jobs.every import all_jobs
from booking.worker.lanes import Lanes


def test_the_jobs_of_each_subject_are_among_all() -> None:
    beside = {each.name for each in pkgutil.iter_modules(jobs.__path__)} - {"every", "job"}
    asked = {each.__name__.rpartition(".")[2] for each in vars(every).values() if isinstance(each, ModuleType)}
    assert asked == beside


def test_no_two_jobs_have_one_name() -> None:
    names = Counter(job.name for job in all_jobs(Lanes(), Event()))
    assert [name for name, times in names.items() if times > 1] == []
    assert len(names) > 50
