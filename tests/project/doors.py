"""The public functions and classes of the package: what stands in the ``__all__`` of its modules."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator

import facelab

DOORS = [module.name for module in pkgutil.iter_modules(facelab.__path__) if not module.name.startswith("_")]


def public() -> Iterator[tuple[str, Callable]]:
    """Yield each public function and class, named ``module.name``.

    Constants, type aliases, errors and warnings are public too, but no reader builds them. The modules that
    ``backend`` passes on are not the package's own.
    """
    for door in DOORS:
        module = importlib.import_module(f"facelab.{door}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            own = getattr(thing, "__module__", "").startswith("facelab")
            error = inspect.isclass(thing) and issubclass(thing, BaseException)
            if own and not error and (inspect.isfunction(thing) or inspect.isclass(thing)):
                yield f"{door}.{name}", thing


PUBLIC = dict(public())
