"""The schematics of the course, drawn from the numbers of the lesson in which they stand.

Every diagram is a Matplotlib figure of the page's width, in one style: :mod:`facelab.diagrams._drawing` has
its shapes and what its colours mean. A drawing carries its own description (:func:`alt_text`), made of the
same numbers. Nothing here loads TensorFlow.
"""

from matplotlib.figure import Figure

from facelab.diagrams._base_rates import base_rates
from facelab.diagrams._bootstrap import bootstrap, paired_bootstrap
from facelab.diagrams._convolution import receptive_field, sliding_kernel
from facelab.diagrams._data import data_set, splits
from facelab.diagrams._distribution import map_and_reduce
from facelab.diagrams._leak import leak_experiment
from facelab.diagrams._networks import compared_networks, network, residual_stage
from facelab.diagrams._pipeline import pipeline
from facelab.diagrams._renderer import rendering
from facelab.diagrams._sweeps import sweep
from facelab.diagrams._transfer import backbone_and_head

__all__ = [
    "alt_text",
    "backbone_and_head",
    "base_rates",
    "bootstrap",
    "compared_networks",
    "data_set",
    "leak_experiment",
    "map_and_reduce",
    "network",
    "paired_bootstrap",
    "pipeline",
    "receptive_field",
    "rendering",
    "residual_stage",
    "sliding_kernel",
    "splits",
    "sweep",
]


def alt_text(diagram: Figure) -> str:
    """Say in words what a diagram shows, with its numbers, for its alternative text.

    Parameters
    ----------
    diagram : Figure
        From a function of this module.

    Returns
    -------
    str
        Some sentences.

    Raises
    ------
    ValueError
        If the figure is no diagram of this module.

    Notes
    -----
    Used by tools.try_pages.
    """
    if not (words := diagram.get_label()):
        raise ValueError("this figure has no description: it is no diagram of facelab.diagrams")
    return str(words)
