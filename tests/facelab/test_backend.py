import os
import random
import subprocess
import sys

import numpy as np
import pytest

from facelab import backend

import keras  # isort: skip
import tensorflow as tf  # isort: skip


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "OPENBLAS_"))}
    return subprocess.run(
        command, capture_output=True, text=True, env=variables | environment, check=False, timeout=300
    )


@pytest.mark.slow
def test_tensorflow_is_loaded_and_used_without_a_word() -> None:
    code = (
        "from facelab import backend\n"
        "import os, tensorflow as tf, keras\n"
        "assert keras.backend.backend() == 'tensorflow'\n"
        "assert os.environ['TF_ENABLE_ONEDNN_OPTS'] == '1'\n"
        "dataset = tf.data.Dataset.range(4).map(lambda x: x + 1)\n"
        "assert sum(dataset.as_numpy_iterator()) == 10\n"
        "os.write(2, b'still here')"
    )
    finished = run(code)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "still here")


@pytest.mark.slow
def test_blas_has_one_thread_unless_the_caller_says_otherwise() -> None:
    code = (
        "from facelab import backend\n"
        "import threadpoolctl\n"
        "pools = threadpoolctl.threadpool_info()\n"
        "print({pool['num_threads'] for pool in pools if 'numpy' in pool['filepath']})"
    )
    finished = run(code)
    assert finished.stdout == "{1}\n", finished.stderr
    assert run(code, OPENBLAS_NUM_THREADS="2").stdout == "{2}\n"


@pytest.mark.slow
def test_the_callers_own_switches_win_and_a_failure_is_shown() -> None:
    code = (
        "import builtins, os, sys\n"
        "load = builtins.__import__\n"
        "def fail(name, *rest):\n"
        "    if name == 'tensorflow':\n"
        "        os.write(2, b'a library is missing')\n"
        "        raise ImportError('no TensorFlow')\n"
        "    return load(name, *rest)\n"
        "builtins.__import__ = fail\n"
        "try:\n"
        "    import facelab.backend\n"
        "finally:\n"
        "    print(os.environ['TF_ENABLE_ONEDNN_OPTS'])\n"
    )
    finished = run(code, TF_ENABLE_ONEDNN_OPTS="0")
    assert finished.returncode == 1
    assert finished.stdout == "0\n"
    assert finished.stderr.startswith("a library is missing")
    assert finished.stderr.rstrip().endswith("ImportError: no TensorFlow")


def test_the_seed_decides_every_kind_of_random_number() -> None:
    def draw(seed: int) -> list[float]:
        backend.set_seed(seed)
        weights = keras.layers.Dense(1)
        weights.build((None, 1))
        return [
            random.random(),
            float(np.random.rand()),  # noqa: NPY002  (the global numbers are what is tested)
            float(tf.random.uniform([])),
            float(keras.ops.convert_to_numpy(weights.kernel).item()),
        ]

    first, again, other = draw(5), draw(5), draw(6)
    assert first == again
    assert not set(first) & set(other)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match=str(seed)):
        backend.set_seed(seed)
