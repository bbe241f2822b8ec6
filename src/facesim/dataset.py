"""The embedded data set: photographs in the benchmark's own layout, with the causes of each beside them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from facelab.adience import fold_file_name, photograph_path, write_folds
from facelab.files import written_whole
from facesim.face import Face
from facesim.people import Subject, draw_photograph, draw_subjects
from facesim.studio import Order, photograph_all, seal

DOUBLED_ROWS = 0.006  # share of rows that stand twice, as in one edition of the benchmark
TYPOS_IN_FOLD_0 = 0.044  # share of its (25, 32) written (25, 23)


@dataclass(frozen=True)
class Photograph:
    """One row of the fold files, and the face that it shows."""

    subject: Subject
    original_image: str
    face: Face
    seed: int  # of the sensor's noise

    @property
    def path(self) -> str:
        """Place below the data set's folder."""
        return photograph_path(self.subject.album.user_id, self.subject.face_id, self.original_image)


def plan(seed: int, photographs: int) -> list[Photograph]:
    """Every photograph of the data set, in the order of the fold files: album by album."""
    planned: list[Photograph] = []
    for subject in draw_subjects(seed, photographs):
        names = np.random.default_rng([subject.seed, 77])
        for number in range(subject.photographs):
            name = f"{names.integers(10**9, 10**10)}_{names.integers(16**10):010x}_o.jpg"
            noise = subject.seed + len(planned)
            planned.append(Photograph(subject, name, draw_photograph(subject, number), noise))
    return sorted(planned, key=_place_in_the_files)


def _place_in_the_files(item: Photograph) -> tuple[int, str, str]:
    return item.subject.fold, item.subject.album.user_id, item.original_image


def render(folder: Path, seed: int = 1, photographs: int = 10_000, workers: int | None = None) -> None:
    """Render the whole data set into a folder; a run that was stopped goes on where it was.

    The seal is written last: a folder that has it is complete.
    """
    planned = plan(seed, photographs)
    orders = [Order(item.path, item.face, item.seed) for item in planned]
    photograph_all(orders, folder, workers)
    with written_whole(folder / "factors.csv") as aside:
        factors(planned).to_csv(aside, index=False, lineterminator="\n")
    write_folds(annotations(planned, seed), folder)
    tables = [
        "factors.csv",
        *(fold_file_name(fold) for fold in sorted({item.subject.fold for item in planned})),
    ]
    seal(folder, [*tables, *(item.path for item in planned)])


def factors(planned: list[Photograph]) -> pd.DataFrame:
    """True causes of each photograph, one row each; `path` is the key into the table of ``read_folds``."""
    return pd.DataFrame(
        {"path": item.path, "true_gender": item.subject.true_gender, **rounded(item.face)} for item in planned
    )


def rounded(face: Face) -> dict[str, object]:
    """The record of a face with its shares and angles to four digits."""
    causes = asdict(face).items()
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in causes}


def annotations(planned: list[Photograph], seed: int) -> pd.DataFrame:
    """The rows of the fold files, with the benchmark's twelve columns and `fold`."""
    rng = np.random.default_rng([seed, 5])
    rows = []
    for item in planned:
        subject, face = item.subject, item.face
        age = subject.written_age
        if subject.fold == 0 and age == "(25, 32)" and rng.random() < TYPOS_IN_FOLD_0:
            age = "(25, 23)"
        side = int(rng.integers(250, 1400))
        seen = -1 if face.mirrored else 1  # a mirrored photograph shows the head turned the other way
        rows.append(
            {
                "user_id": subject.album.user_id,
                "original_image": item.original_image,
                "face_id": subject.face_id,
                "age": age,
                "gender": subject.written_gender,
                "x": int(rng.integers(0, 1500)),
                "y": int(rng.integers(0, 1000)),
                "dx": side,
                "dy": side,
                "tilt_ang": 5 * round(seen * face.roll_deg / 5),
                "fiducial_yaw_angle": 15 * round(seen * face.yaw_deg / 15),
                "fiducial_score": int(rng.integers(10, 130)),
                "fold": subject.fold,
            }
        )
    table = pd.DataFrame(rows)
    doubled = table.sample(frac=DOUBLED_ROWS, random_state=seed)
    return pd.concat([table, doubled]).sort_index(kind="stable")
