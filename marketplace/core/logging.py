"""Events with fields, one JSON object a line in production. No personal data: a filter masks what slips through."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

_DIGITS = re.compile(r"(?<![\w-])\+?\d{11,18}[\dXx]?(?![\w-])")


def mask_numbers(_logger: Any, _name: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Replace anything that looks like a phone or ID number, a last line of defence behind not logging it."""
    for field, value in event.items():
        if isinstance(value, str) and _DIGITS.search(value):
            event[field] = _DIGITS.sub("***", value)
    return event


def configure(*, json: bool) -> None:
    """Send our events and the libraries' warnings to stderr, as JSON or for reading."""
    renderer: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_numbers,
            renderer,
        ],
        # One write a line: processes that share the pipe would otherwise mix text and line ends.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", force=True
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `log = get_logger(__name__)`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(module=name)
    return logger


def quiet() -> None:
    """Nothing but warnings: for a command whose output is read."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
