"""Lessons with many folds, seeds and data sets, on the processes of one machine or of many."""

try:
    import distributed as _distributed  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"tools.scale needs Dask's distributed, and there is no {error.name}: pip install 'facelab[scale]'",
        name=error.name,
    ) from None
