"""Nested dicts and lists, as JSON has them, taken apart."""

from collections.abc import Iterator
from typing import Any


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value in nested dicts and lists that is neither, with its dotted key."""
    if isinstance(value, dict | list):
        for name, inside in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inside, f"{key}.{name}" if key else str(name))
    else:
        yield key, value
