"""Train a small network on renders alone and test it on real photographs.

``python -m tools.measure.transfer RENDERS_DIR REAL_DIR [--averages FILE.png] [--json FILE]``
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from PIL import Image

from tools.measure import networks, scores
from tools.measure.photographs import GROUP_NAMES, read_photographs, read_pixels

STEPS = 1500  # batches of 64: 32 epochs of 3,000 photographs, 10 of 10,000
HELD_OUT = 0.1  # share of the renders' albums on which the network is tested at home


def held_out_albums(albums: pd.Series, seed: int) -> np.ndarray:
    """Mark the photographs of a tenth of the albums; bool array, shape (n,)."""
    names = np.sort(albums.unique())
    chosen = np.random.default_rng(seed).choice(names, max(1, round(len(names) * HELD_OUT)), replace=False)
    return albums.isin(chosen).to_numpy()


def by_group(
    group: np.ndarray, male: np.ndarray, says_male: np.ndarray, says_group: np.ndarray
) -> list[dict]:
    """Describe each true group: gender accuracy, share read as men in each gender, where the ages go."""
    rows = []
    for index in np.unique(group):
        here = group == index
        row = {"group": GROUP_NAMES[index], "n": int(here.sum())}
        row["gender"] = round(float(np.mean(male[here] == says_male[here])), 3)
        for name, sex in (("f", ~male), ("m", male)):
            row[f"{name}_read_as_male"] = (
                round(float(np.mean(says_male[here & sex])), 3) if (here & sex).any() else None
            )
        row["age_exact"] = round(float(np.mean(says_group[here] == index)), 3)
        shares = np.bincount(says_group[here], minlength=8) / here.sum()
        rows.append(
            row
            | {f"→{name}": round(float(share), 2) for name, share in zip(GROUP_NAMES, shares, strict=True)}
        )
    return rows


def write_averages(file: Path, renders: pd.DataFrame, real: pd.DataFrame) -> None:
    """Draw the average photograph of each age group: renders above, real photographs below."""
    rows = []
    for table in (renders, real):
        cells = []
        for group in range(8):
            paths = table.loc[table["group"] == group, "path"].tolist()[:300]
            average = read_pixels(paths, 96).mean(axis=0) if paths else np.zeros((96, 96, 3))
            cells.append(average.astype(np.uint8))
        rows.append(np.hstack(cells))
    Image.fromarray(np.vstack(rows)).resize((8 * 192, 2 * 192)).save(file)


def test(model: keras.Model, table: pd.DataFrame, pixels: np.ndarray, prior: np.ndarray, seed: int) -> dict:
    """Score the network on photographs; ``prior`` is the training share of each group, shape (8,)."""
    said = networks.predict(model, pixels)
    male, group = (table["gender"] == "m").to_numpy(), table["group"].to_numpy()
    says_male, says_group = said["gender"] >= 0.5, said["age"].argmax(axis=1)
    weights = scores.album_weights(table["album"], seed)
    found: dict = scores.task_scores(weights, male, says_male, group, says_group)
    # What it would say if it did not expect the renders' mixture of ages.
    unbiased = (said["age"] / prior).argmax(axis=1)
    for name, score in scores.task_scores(weights, None, None, group, unbiased).items():
        found[f"{name}_no_prior"] = score
    found |= {"photographs": len(table), "by_group": by_group(group, male, says_male, says_group)}
    return found


def main() -> None:
    """Train on the first folder, test on the second, print the scores and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("renders_dir", type=Path)
    parser.add_argument("real_dir", type=Path)
    parser.add_argument("--side", type=int, default=48, help="pixels of height and width")
    parser.add_argument("--colour", action="store_true", help="train on colour instead of grey")
    parser.add_argument("--steps", type=int, default=STEPS, help="batches of 64 to train on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--averages", type=Path, help="where to draw average faces; never in the repository")
    parser.add_argument("--json", type=Path, help="where to write the results")
    options = parser.parse_args()
    start = time.monotonic()
    keras.utils.set_random_seed(options.seed)

    renders, real = read_photographs(options.renders_dir), read_photographs(options.real_dir)
    if options.averages:
        write_averages(options.averages, renders, real)
    pixels = read_pixels(renders["path"].tolist(), options.side, grey=not options.colour)
    real_pixels = read_pixels(real["path"].tolist(), options.side, grey=not options.colour)

    home = held_out_albums(renders["album"], options.seed)
    male, group = (renders["label_gender"] == "m").to_numpy(), renders["label_group"].to_numpy()
    model = networks.yardstick(options.side, pixels.shape[-1])
    networks.train(model, pixels[~home], male[~home], group[~home], steps=options.steps)

    prior = (np.bincount(group[~home], minlength=8) + 1) / (np.sum(~home) + 8)
    real_male, real_group = (real["gender"] == "m").to_numpy(), real["group"].to_numpy()
    results = {
        "trained_on": int(np.sum(~home)),
        "weights": model.count_params(),
        "on_renders": test(model, renders[home].reset_index(drop=True), pixels[home], prior, options.seed),
        "on_real": test(model, real, real_pixels, prior, options.seed),
        "majority_on_real": scores.majority_baselines(male[~home], group[~home], real_male, real_group),
        "seconds": round(time.monotonic() - start, 1),
    }
    print(f"trained on {results['trained_on']} renders, {results['weights']} weights, {results['seconds']} s")
    for title, name in (("renders of albums never seen", "on_renders"), ("real photographs", "on_real")):
        found = results[name]
        print(f"\n{found['photographs']} {title}")
        for score in [key for key in found if key not in ("photographs", "by_group")]:
            print(scores.line(score, found[score]))
        print(pd.DataFrame(found["by_group"]).to_string(index=False))
    print(f"\nmajority on real photographs: {results['majority_on_real']}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
