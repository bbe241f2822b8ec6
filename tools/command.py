"""How every tool ends: one line about what went wrong, and an exit status that says of which kind it is."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

_Parameters = ParamSpec("_Parameters")


class FailedError(Exception):
    """What was asked for was tried and failed, such as a lesson; the message says all that is known."""


def ends_with_status(again: str) -> Callable[[Callable[_Parameters, None]], Callable[_Parameters, int]]:
    """Make a function that runs a command line return its exit status instead of raising.

    Parameters
    ----------
    again : str
        What the same command does after an interruption, such as "goes on after the last whole epoch".

    Returns
    -------
    decorator
        The decorated function returns 0 when it is done, 1 after a :class:`FailedError`, 2 after a
        ValueError or an OSError, which tell of wrong arguments or data, and 130 when it was interrupted. It
        prints one line about each but the first to the standard error. Any other error is a mistake in the
        program and goes on.
    """

    def decorate(main: Callable[_Parameters, None]) -> Callable[_Parameters, int]:
        @functools.wraps(main)
        def with_status(*arguments: _Parameters.args, **options: _Parameters.kwargs) -> int:
            try:
                main(*arguments, **options)
            except FailedError as failure:
                print(f"\nerror: {failure}", file=sys.stderr)
                return 1
            except (ValueError, OSError) as error:
                print(f"error: {error}", file=sys.stderr)
                return 2
            except KeyboardInterrupt:
                print(f"\nInterrupted. The same command {again}.", file=sys.stderr)
                return 130
            return 0

        return with_status

    return decorate
