"""What a command can't do is one clear sentence on stderr and exit code 1."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

import click
from flask_babel import force_locale
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from marketplace import wording
from marketplace.core.config import ConfigError
from marketplace.core.errors import Refusal

FOUND = 3
"""The exit code of a command that did its work and found something wrong."""
INCOMPLETE = 4
"""The exit code of a command that found nothing wrong, and could not look at all it should."""

P = ParamSpec("P")
R = TypeVar("R")


def one_sentence(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what the command refuses into one sentence and exit code 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except Refusal as refusal:
            with force_locale("en"):
                sentence = wording.sentence(refusal)
            stop(f"{refusal.at}: {sentence}" if refusal.at else sentence)
        except ConfigError as wrong:
            stop(str(wrong))
        except (OperationalError, PoolTimeout):
            stop("The database of DATABASE_URL does not answer.")
        except DBAPIError as failed:
            stop(f"The database refused ({type(failed.orig).__name__}); is it migrated? Run `make migrate`.")

    return run


def stop(sentence: str) -> NoReturn:
    """End the command with this sentence and exit code 1."""
    raise click.ClickException(sentence)
