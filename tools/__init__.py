"""What the Makefile calls to execute and render the book; no part of the package."""

import sys
from types import TracebackType


def _short(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say in a word that a tool was interrupted: in its first seconds its own words are not loaded yet."""
    if issubclass(kind, KeyboardInterrupt):
        print("\nInterrupted. The same command begins again.", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _short
