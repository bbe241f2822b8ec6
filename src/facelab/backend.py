"""TensorFlow, loaded quietly and with the same switches everywhere, and BLAS with one thread beside it.

``pipeline``, ``models`` and ``training`` import this module before anything of TensorFlow's. A notebook
that imports one of them first, and ``tensorflow`` or ``keras`` in a later cell, finds both loaded already.
"""

import os

from facelab._quiet import without_messages

# The caller's own settings win. They are read once, when TensorFlow is loaded.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what goes wrong reaches Python as an exception
# Which kernels TensorFlow takes depends on the processor unless it is told. With oneDNN's, a convolutional
# network trains several times as fast as without; the price is a last digit that moves with the machine.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# Without a graphics card TensorFlow writes lines about CUDA from C++, past ``sys.stderr`` and past every
# setting. Asking for the devices here draws the last of them.
with without_messages():
    import tensorflow as tf

    tf.config.list_physical_devices()

import keras
import threadpoolctl
from keras import layers

if "OPENBLAS_NUM_THREADS" not in os.environ:
    # NumPy's BLAS keeps a thread on each core waiting, beside TensorFlow's. Fits of small matrices, such as
    # scikit-learn's logistic regression on 900 faces, then take a hundred times as long as with one thread.
    threadpoolctl.threadpool_limits(1, user_api="blas")

__all__ = ["keras", "layers", "set_seed", "tf"]


def set_seed(seed: int) -> None:
    """Make everything random from here on depend on `seed` alone, and every operation repeatable.

    Parameters
    ----------
    seed : int
        At least 0 and below 2³². Python's, NumPy's, TensorFlow's and Keras's random numbers start from it.

    Raises
    ------
    ValueError
        If `seed` is out of range.

    Notes
    -----
    The same machine then gives the same weights to the bit; another one differs in the last digits, which is
    why the chapters print verdicts. Operations stay repeatable until the process ends. Used in lesson 3.2.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"a seed is a whole number from 0 to 2³² − 1, not {seed}")
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
