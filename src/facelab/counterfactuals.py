"""What would change an answer: pictures that differ in one cause, and weights that make it say nothing.

:func:`paired_differences` reads the effect of one cause off the sweeps, in which all else is held;
:func:`facelab.evaluation.mean_effect` gives it an interval. :func:`independence_weights` makes a training
set, counted by weight, in which that cause and the label are independent.
"""

import numpy as np
import pandas as pd

__all__ = ["independence_weights", "paired_differences"]


def paired_differences(
    table: pd.DataFrame, factor: str, value: str, reference: str, outcome: str
) -> pd.DataFrame:
    """Return how an outcome changes in each head's pictures when a cause goes from one value to another.

    Parameters
    ----------
    table : DataFrame
        From :func:`facelab.embedded.read_sweeps`, with the network's output in a column of its own.
    factor, value, reference : str
        Which sweep, and to and from which value of it, as text.
    outcome : str
        The column with the output.

    Returns
    -------
    DataFrame
        One row a head: ``identity``, ``family`` and ``difference``, the outcome at `value` less that at
        `reference`.

    Raises
    ------
    ValueError
        If the sweep has no such value, or a head has not one picture of both.

    Notes
    -----
    Built in lesson 7.2.

    Examples
    --------
    >>> heads = {"identity": [1, 1, 2, 2], "family": [1, 1, 1, 1], "factor": "glasses"}
    >>> answers = {"value": ["none", "sun"] * 2, "group": [3.0, 4.5, 5.0, 5.5]}
    >>> paired_differences(pd.DataFrame(heads | answers), "glasses", "sun", "none", "group")
       identity  family  difference
    0         1       1         1.5
    1         2       1         0.5
    """
    sweep = table[table["factor"] == factor]
    if missing := sorted({value, reference} - set(sweep["value"])):
        raise ValueError(
            f"the sweep of {factor!r} has no {missing[0]!r}; it has {sorted(set(sweep['value']))}"
        )
    before, after = (sweep[sweep["value"] == text].set_index("identity") for text in (reference, value))
    if not (before.index.is_unique and after.index.is_unique and set(before.index) == set(after.index)):
        raise ValueError(f"every head must have one picture with {factor} {value} and one with {reference}")
    changed = (after[outcome] - before[outcome]).rename("difference").to_frame()
    return changed.assign(family=before["family"]).reset_index()[["identity", "family", "difference"]]


def independence_weights(factor: pd.Series, label: pd.Series) -> np.ndarray:
    """Weigh photographs so that, counted by weight, a factor says nothing of the label.

    Parameters
    ----------
    factor, label : Series, n rows
        What each photograph shows, and what is written beside it.

    Returns
    -------
    float64 array, shape (n,)
        How often factor and label would come together if they had nothing to do with each other, divided by
        how often they do. The mean is 1 if every factor occurs with every label.

    Raises
    ------
    ValueError
        If the lengths differ, there are no rows or a value is missing.

    Notes
    -----
    A factor that never occurs with some label keeps telling that the label is not this one: no weight makes
    photographs that are not there. The reweighing of Kamiran and Calders (2012). Built in lesson 7.3.

    Examples
    --------
    >>> glasses, gender = pd.Series(["none", "none", "none", "sun"]), pd.Series(["f", "f", "m", "m"])
    >>> independence_weights(glasses, gender).round(2).tolist()
    [0.75, 0.75, 1.5, 0.5]
    """
    if len(factor) != len(label) or not len(factor):
        raise ValueError(f"one factor and one label a photograph: {len(factor)} and {len(label)} rows")
    if factor.isna().any() or label.isna().any():
        raise ValueError("a factor or a label is missing: leave such photographs out")
    counts = pd.crosstab(factor.to_numpy(), label.to_numpy()).to_numpy()
    together = counts / len(factor)
    apart = np.outer(together.sum(axis=1), together.sum(axis=0))
    weights = np.divide(apart, together, out=np.zeros(apart.shape), where=together > 0)
    return weights[np.unique(factor, return_inverse=True)[1], np.unique(label, return_inverse=True)[1]]
