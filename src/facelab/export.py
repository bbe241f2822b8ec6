"""A trained network as one folder that somebody else can run, check and read.

:func:`export` writes the network in four formats, with the pixel contract inside each file, its model card,
its settings, and the list of all files with their checksums. :func:`load` runs a file in its runtime, and
refuses another contract than the file's.
"""

import importlib.util
import io
import json
import logging
import os
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from facelab import files
from facelab._quiet import without_messages
from facelab.answer import Settings
from facelab.pipeline import PixelContract
from facelab.seals import sha256

if TYPE_CHECKING:
    from facelab.backend import keras

__all__ = ["CARD", "FORMATS", "LIST", "ContractError", "Network", "check_files", "export", "load", "missing"]

Network = Callable[[np.ndarray], dict[str, np.ndarray]]
"""From pixels, shape (n, side, side, channels), to what the network says: a row a face in each array."""

FORMATS: Final = {
    "Keras": "network.keras",
    "ONNX": "network.onnx",
    "LiteRT": "network.tflite",
    "LiteRT, int8": "network_int8.tflite",
}
"""The formats, and the file of each."""

CARD: Final = "README.md"
"""The model card's file."""

LIST: Final = "SHA256SUMS"
"""The file that lists the others with their SHA-256, as ``sha256sum --check SHA256SUMS`` reads it."""

_CONTRACT: Final = "contract.json"
"""Where the contract stands in a file: the name of a member of a zip archive, or of an entry."""

_TO_RUN: Final = {"ONNX": ("onnxruntime",)}
_TO_WRITE: Final = {"ONNX": ("onnx", "tf2onnx")}


class ContractError(ValueError):
    """A file's pixel contract is missing, or another one than is expected; the message says what it is."""


def missing(name: str) -> str:
    """Say why a format can be neither written nor run on this machine.

    Parameters
    ----------
    name : str
        One of ``FORMATS``.

    Returns
    -------
    str
        Empty if it can.

    Notes
    -----
    A LiteRT file runs without an extra as long as TensorFlow has ``tf.lite``. Used in lesson 9.2.

    Examples
    --------
    >>> missing("Keras")
    ''
    """
    lacking = _lacking_to_run(name) + _not_installed(_TO_WRITE.get(name, ()))
    if name.startswith("LiteRT"):
        from facelab.backend import tf

        if not hasattr(tf, "lite"):  # which Keras writes LiteRT by
            return f"{name} needs a TensorFlow that has tf.lite, and {tf.__version__} has none"
    return _remedy(name, lacking) if lacking else ""


def _lacking_to_run(name: str) -> list[str]:
    """List the modules that are not there to run a format."""
    if name.startswith("LiteRT"):
        return [] if _litert_interpreter() else ["ai_edge_litert"]
    return _not_installed(_TO_RUN.get(name, ()))


def _not_installed(modules: Iterable[str]) -> list[str]:
    return [module for module in modules if importlib.util.find_spec(module) is None]


def _remedy(name: str, lacking: Iterable[str]) -> str:
    return f'{name} needs {", ".join(lacking)}: pip install "facelab[export]"'


def export(
    model: "keras.Model",
    folder: str | os.PathLike[str],
    settings: Settings,
    *,
    card: str,
    examples: np.ndarray,
) -> dict[str, str]:
    """Write a network and what belongs to it into a new folder.

    Parameters
    ----------
    model : keras.Model
        From images to a dict with ``age``, ``gender`` and ``features``.
    folder : path-like
        Which must not be there yet.
    settings : Settings
        The network's, with its pixel contract.
    card : str
        The model card, as :func:`facelab.cards.fill` writes it.
    examples : float32 array, shape (n, side, side, channels)
        Faces to fit the ranges of the 8-bit integers to: some hundred of training, none of the test.

    Returns
    -------
    dict from str to str
        The formats that were left out, each with the reason; empty if all are there.

    Raises
    ------
    FileExistsError
        If the folder is there.
    ContractError
        If the model or the examples do not fit the contract.

    Notes
    -----
    The folder is made aside, and has its name when it is complete. Keras's own ``model.export`` writes ONNX
    and LiteRT; the contract is added as an entry of the ONNX file, and as a member of a zip archive in the
    other files: a ``.keras`` file is one, and a LiteRT file may have one behind it. Used in lesson 9.2.
    """
    from facelab.backend import keras, tf

    folder = Path(folder).expanduser()
    if folder.exists():
        raise FileExistsError(f"{folder} is there already: delete it, or name another folder")
    contract = settings.contract
    _refuse_misfit(model.input_shape[1:], contract, "the model")
    _refuse_misfit(np.shape(examples)[1:], contract, "an example")
    without_optimizer = keras.models.clone_model(model)
    without_optimizer.set_weights(model.get_weights())
    without_optimizer(examples[:1])  # Keras exports to ONNX only what has been called
    left_out = {name: why for name in FORMATS if (why := missing(name))}

    def ranges() -> Any:
        return ([example[np.newaxis]] for example in examples.astype("float32"))

    how: dict[str, dict[str, Any]] = {"ONNX": {"format": "onnx"}, "LiteRT": {"format": "litert"}}
    if "LiteRT, int8" not in left_out:
        integers = {"optimizations": [tf.lite.Optimize.DEFAULT], "representative_dataset": ranges}
        how["LiteRT, int8"] = {"format": "litert"} | integers
    with files.workplace(folder.parent) as place:
        made = place / "made"
        made.mkdir()
        for name in [name for name in FORMATS if name not in left_out]:
            path = made / FORMATS[name]
            if name == "Keras":
                without_optimizer.save(path)
            else:
                # Keras 3.13 prints where it saved a file, whatever `verbose` says.
                said = redirect_stdout(io.StringIO())
                with without_messages(), said, warnings.catch_warnings(), _only_errors(tf.get_logger()):
                    warnings.simplefilter("ignore")
                    without_optimizer.export(str(path), verbose=False, **how[name])
            _write_contract(path, contract)
        settings.write(made)
        (made / CARD).write_text(card, encoding="utf-8")
        listed = "".join(f"{sha256(path)}  {path.name}\n" for path in sorted(made.iterdir()))
        (made / LIST).write_text(listed, encoding="utf-8")
        made.rename(folder)
    return left_out


def load(path: str | os.PathLike[str], contract: PixelContract) -> Network:
    """Load a network's file into its runtime, and check that its pixels are what they are taken for.

    Parameters
    ----------
    path : path-like
        A file of :func:`export`; its suffix says which runtime it needs.
    contract : PixelContract
        What the pixels will be that it is asked with.

    Returns
    -------
    callable
        From a float32 array of shape (n, side, side, channels), in [0, 1], to a dict of float32 arrays with
        n rows: ``age``, ``gender`` and ``features``. It raises ContractError for other pixels.

    Raises
    ------
    ContractError
        If the file names another contract, or none.
    ModuleNotFoundError
        If the runtime is not installed; the message names the remedy.
    FileNotFoundError
        If there is no such file.

    Notes
    -----
    ONNX and LiteRT compute with one thread, Keras with as many as TensorFlow has. Used in lesson 9.2.
    """
    path = Path(path).expanduser()
    name = next((name for name, file in FORMATS.items() if Path(file).suffix == path.suffix), None)
    if name is None:
        known = ", ".join(sorted({Path(file).suffix for file in FORMATS.values()}))
        raise ValueError(f"{path} is none of {known}: take a file that facelab.export.export wrote")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}: export writes it")
    if lacking := _lacking_to_run(name):
        raise ModuleNotFoundError(_remedy(name, lacking))
    runs = {".keras": _load_keras, ".onnx": _load_onnx, ".tflite": _load_litert}[path.suffix]
    with without_messages():
        run, said = runs(path)
    if not said:
        raise ContractError(f"{path} names no pixel contract: nobody knows what pixels it expects")
    if (found := json.loads(said)) != _as_written(contract):
        raise ContractError(
            f"{path} expects {found}, not {_as_written(contract)}: make the pixels that it expects"
        )

    def network(images: np.ndarray) -> dict[str, np.ndarray]:
        _refuse_misfit(np.shape(images)[1:], contract, "an image")
        if images.dtype != np.float32 or not (images.min() >= 0 and images.max() <= 1):
            raise ContractError(
                f"{path.name} expects float32 from 0 to 1, not {images.dtype} from {images.min()} to "
                f"{images.max()}: divide pixels of 8 bits by 255, once"
            )
        return run(images)

    return network


def check_files(folder: str | os.PathLike[str]) -> list[str]:
    """Check that a folder holds the files of its list, to the byte, and no others.

    Parameters
    ----------
    folder : path-like
        Of :func:`export`.

    Returns
    -------
    list of str
        The names of the files.

    Raises
    ------
    ValueError
        If a file is missing, changed or not in the list; the message names all such files.
    FileNotFoundError
        If there is no list.

    Notes
    -----
    The list itself is not signed: it finds damage, and not somebody who changes a file and the list. Used in
    lesson 9.2.
    """
    folder = Path(folder).expanduser()
    lines = (folder / LIST).read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    there = {path.name for path in folder.iterdir()} - {LIST}
    faults = [f"{name} is missing" for name in sorted(set(listed) - there)]
    faults += [f"{name} is not in the list" for name in sorted(there - set(listed))]
    faults += [
        f"{name} has changed" for name in sorted(set(listed) & there) if sha256(folder / name) != listed[name]
    ]
    if faults:
        raise ValueError(f"{folder} is not what was exported: {'; '.join(faults)}. Export or copy it again")
    return sorted(listed)


# ---- The contract in a file --------------------------------------------------------------------------------


def _as_written(contract: PixelContract) -> dict[str, Any]:
    """Say the whole contract, for a reader who does not have this course."""
    return {
        "axes": ["batch", "height", "width", "channel"],
        "side": contract.side,
        "channels": ["grey"] if contract.channels == 1 else ["red", "green", "blue"],
        "type": "float32",
        "black": 0,
        "white": 1,
    }


def _write_contract(path: Path, contract: PixelContract) -> None:
    """Add the contract to a file that has been written."""
    said = json.dumps(_as_written(contract))
    if path.suffix == ".onnx":
        import onnx

        network = onnx.load(path)
        onnx.helper.set_model_props(network, {_CONTRACT: said})
        onnx.save(network, path)
        return
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(_CONTRACT), said)


def _contract_in_zip(path: Path) -> str:
    """Return the contract of a file that is a zip archive, or has one behind it; empty if it has none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(_CONTRACT).decode("utf-8")
    except (zipfile.BadZipFile, KeyError):
        return ""


@contextmanager
def _only_errors(logger: logging.Logger) -> Iterator[None]:
    """Let a logger say nothing but errors for a block."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _refuse_misfit(shape: tuple[int, ...], contract: PixelContract, what: str) -> None:
    """Raise unless an image has the contract's shape."""
    wanted = (contract.side, contract.side, contract.channels)
    if tuple(shape) != wanted:
        raise ContractError(f"{what} has the shape {tuple(shape)}, and the contract says {wanted}")


# ---- The runtimes ------------------------------------------------------------------------------------------


def _load_keras(path: Path) -> tuple[Network, str]:
    """Run a file by Keras, as one compiled function."""
    from facelab.backend import keras, tf

    model = keras.models.load_model(path, compile=False)
    images = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
    compiled = tf.function(
        lambda images: model(images, training=False), input_signature=[images], autograph=False
    )
    compiled.get_concrete_function()  # here, and not when the first face is asked about

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        return {name: output.numpy() for name, output in compiled(images).items()}

    return run, _contract_in_zip(path)


def _load_onnx(path: Path) -> tuple[Network, str]:
    """Run a file by ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (images_name,) = (each.name for each in session.get_inputs())
    names = [each.name for each in session.get_outputs()]

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(names, session.run(names, {images_name: images}), strict=True))

    return run, session.get_modelmeta().custom_metadata_map.get(_CONTRACT, "")


def _load_litert(path: Path) -> tuple[Network, str]:
    """Run a file by LiteRT, or by the part of TensorFlow that it comes from."""
    make = _litert_interpreter()
    assert make is not None, "load has looked"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that tf.lite is to leave TensorFlow
        runner = make(model_path=str(path), num_threads=1).get_signature_runner()
    (images_name,) = runner.get_input_details()
    _, *shape = runner.get_input_details()[images_name]["shape_signature"]
    runner(**{images_name: np.zeros((1, *shape), "float32")})  # its first call writes a message

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        return dict(runner(**{images_name: images}))

    return run, _contract_in_zip(path)


def _litert_interpreter() -> Callable[..., Any] | None:
    """Return what runs LiteRT files on this machine; None if nothing does."""
    if importlib.util.find_spec("ai_edge_litert") is not None:
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter
    from facelab.backend import tf

    return getattr(getattr(tf, "lite", None), "Interpreter", None)
