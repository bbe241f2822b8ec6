"""A chapter's record: what it holds, what it refuses, and that it means the same on every machine."""

import hashlib
import json
import math
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, asdict, replace

import numpy as np
import pytest

from facelab import adience, embedded, results
from facelab.evaluation import Interval

SCORE = results.Score("accuracy", 0.9, 0.88, 0.92, 1990, 43, 10.94, "test", [4])


@pytest.fixture
def data_dir(make_data_set, five_folds):
    return make_data_set(five_folds)


@pytest.fixture
def write(tmp_path, data_dir):
    """Record a small run; what is given replaces what it would have been."""
    table = adience.read_folds(data_dir)

    def record(name="03_a_network", **changes):
        run = {
            "data_dir": data_dir,
            "table": table,
            "parameters": {"seed": 1, "folds": [4], "photographs": None},
            "scores": {"network": [SCORE]},
            "seconds": 61.7,
            "folder": tmp_path / "results",
        }
        return results.write(name, **(run | changes))

    return record


def test_a_record_says_on_what_with_what_and_how_well(write):
    path = write()
    assert path.name == "03_a_network.json"
    record = results.read(path)
    assert (record.chapter, record.run, record.seconds) == ("03_a_network", "short", 62)
    assert record.parameters == {"seed": 1, "folds": [4], "photographs": None}
    assert record.versions.numpy == np.__version__
    assert record.versions.python == ".".join(map(str, sys.version_info[:3]))
    assert set(asdict(record.versions)) == {"python", "tensorflow", "keras", "numpy", "facelab"}
    assert record.scores == {"network": [SCORE]}


def test_the_file_holds_the_record_and_nothing_else(write):
    path = write()
    assert json.loads(path.read_text()) == asdict(results.read(path))


def test_a_score_and_a_record_do_not_change(write):
    with pytest.raises(FrozenInstanceError):
        SCORE.estimate = 1.0
    with pytest.raises(FrozenInstanceError):
        results.read(write()).seconds = 0


def test_it_names_another_data_set_by_the_checksum_of_its_annotations(write, data_dir):
    described = results.read(write()).data
    annotations = b"".join((data_dir / f"fold_{fold}_data.txt").read_bytes() for fold in range(5))
    assert described.sha256 == hashlib.sha256(annotations).hexdigest()
    assert (described.name, described.rendered) == ("data", False)
    moved = data_dir.rename(data_dir.with_name("elsewhere"))
    table = adience.read_folds(moved)
    assert results.read(write(data_dir=moved, table=table)).data == replace(described, name="elsewhere")


def test_it_counts_the_photographs_that_are_there(write, data_dir):
    before = results.read(write()).data
    shutil.rmtree(data_dir / "faces" / "00@N00")
    with pytest.warns(adience.MissingPhotographsWarning):
        table = adience.read_folds(data_dir)
    after = results.read(write(table=table)).data
    assert (before.photographs, before.albums) == (30, 10)
    assert (after.photographs, after.albums) == (27, 9)


def test_a_table_that_has_lost_rows_is_refused_since_it_does_not_count_the_data_set(write, data_dir):
    table = adience.read_folds(data_dir)
    table.loc[3, "gender"] = None
    with pytest.raises(adience.DataSetError, match="has lost rows: give all that read_folds read"):
        write(table=adience.usable(table))


def test_the_data_set_is_not_read_again(write, monkeypatch):
    monkeypatch.setattr(adience, "read_folds", lambda *_: pytest.fail("read again"))
    assert results.read(write()).data.photographs == 30


def test_it_names_the_embedded_faces_by_their_archives_checksum(write):
    described = results.read(write(data_dir=embedded.data_dir())).data
    archive = json.loads((embedded.ARCHIVES / "archives.json").read_text())["embedded_faces"]
    assert described.sha256 == archive["sha256"]
    assert described.rendered is True
    assert described.name == "embedded faces"


def test_two_runs_differ_in_nothing_but_their_time(write, tmp_path):
    one = write(folder=tmp_path / "one", seconds=60)
    other = write(folder=tmp_path / "other", seconds=60)
    assert one.read_bytes() == other.read_bytes()
    assert str(tmp_path) not in one.read_text()


def test_a_full_run_has_a_file_of_its_own(write):
    short, full = write(), write(run="full")
    assert (short.name, full.name) == ("03_a_network.json", "03_a_network_full.json")
    assert results.read(full).run == "full"


def test_numbers_of_numpy_become_plain_ones(write):
    score = replace(
        SCORE,
        estimate=np.float32(0.5),
        low=np.float64(0.25),
        high=1,
        faces=np.int64(9),
        albums=2,
        effective_albums=np.float64(1.5),
    )
    parameters = {"seed": np.int64(3), "augmented": np.bool_(True), "sizes": (1, 2)}
    record = results.read(write(scores={"network": [score]}, parameters=parameters))
    assert record.parameters == {"seed": 3, "augmented": True, "sizes": [1, 2]}
    assert record.scores["network"] == [score]


def test_a_score_counts_the_albums_that_it_rests_on():
    interval = Interval(0.9, np.float64(0.88), np.float64(0.92))
    albums = np.array(["a", "a", "a", "b"])
    score = results.Score.over("accuracy", interval, albums, "test", (4,))
    assert score == results.Score("accuracy", 0.9, 0.88, 0.92, 4, 2, 1.6, "test", [4])
    assert type(score.low) is float


def scored(**changes) -> dict[str, object]:
    """One score that is changed, as what a record holds of one network."""
    return {"scores": {"network": [replace(SCORE, **changes)]}}


def nested(depth: int) -> list:
    found: list = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (scored(low=math.nan), "scores.network.0.low: Input should be a finite number, not nan"),
        ({"scores": {"network": [SCORE, replace(SCORE, estimate=math.inf)]}}, "scores.network.1.estimate"),
        (scored(estimate=10**400), "scores.network.0.estimate: Input should be a .*number, not 1000"),
        (scored(estimate="0.9"), "scores.network.0.estimate: Input should be a valid number, not '0.9'"),
        (scored(low=0.95), "scores.network.0: accuracy: low is above high: 0.95 > 0.92"),
        (scored(albums=1), "scores.network.0: accuracy: albums: an interval needs two"),
        (scored(faces=40), "scores.network.0: accuracy: albums"),
        (scored(effective_albums=0.9), "accuracy: effective_albums: 43 albums are worth between 1 and 43"),
        (scored(effective_albums=43.1), "accuracy: effective_albums: 43 albums are worth between 1 and 43"),
        (scored(faces=1e3), "scores.network.0.faces: Input should be a valid integer, not 1000.0"),
        (
            scored(split="train"),
            "scores.network.0.split: Input should be 'test' or 'validation', not 'train'",
        ),
        (scored(folds=[]), "scores.network.0: accuracy: folds must be some of"),
        (scored(folds=[5]), "scores.network.0: accuracy: folds must be some of"),
        (scored(folds=[4, 0]), "scores.network.0: accuracy: folds"),
        (scored(folds=["4"]), "scores.network.0.folds.0: Input should be a valid integer, not '4'"),
        ({"scores": {"network": []}}, "scores.network: List should have at least 1 item"),
        ({"scores": {}}, "scores: Dictionary should have at least 1 item"),
        ({"parameters": {"epochs": 3}}, "parameters: seed must be there, a whole number"),
        ({"parameters": {"seed": True}}, "parameters: seed"),
        ({"parameters": {"seed": 1, "checkpoints": "/somewhere/full"}}, "parameters: checkpoints is a path"),
        ({"parameters": {"seed": 1, "folders": ["x", "C:\\faces"]}}, "parameters: folders.1 is a path"),
        ({"parameters": {"seed": 1, "rate": math.nan}}, "parameters: rate must be finite, not nan"),
        ({"parameters": {"seed": 1, "odd": {1, 2}}}, "parameters: .* of a type that JSON does not have, set"),
        ({"parameters": {"seed": 1, "deep": nested(100_000)}}, "parameters: maximum recursion depth"),
        ({"seconds": -1}, "seconds: must be a finite number from 0, not -1"),
        ({"seconds": -0.4}, "seconds: must be"),
        ({"seconds": math.inf}, "seconds: must be a finite number from 0, not inf"),
        ({"seconds": math.nan}, "seconds: must be"),
        ({"seconds": True}, "seconds: must be"),
        ({"seconds": 10**400}, "seconds: must be a finite number from 0, not 1000"),
        ({"seconds": 10**5000}, "seconds: "),
        ({"parameters": {"seed": 10**400}}, "parameters: seed is too great to be exact"),
        ({"parameters": {"seed": 1, "`x`": 1}}, "parameters: '`x`' must be plain text"),
        ({"parameters": {"seed": 1, "`x`": []}}, "parameters: '`x`' must be plain text"),
        ({"parameters": {"seed": 1, "a": [{"`x`": {}}]}}, "parameters: '`x`' must be plain text"),
        ({"parameters": {"seed": 1, "kind": "<b>"}}, "parameters: kind: '<b>' must be plain text"),
        ({"parameters": {"seed": 1, "of": {"kind": "x" * 101}}}, "parameters: of.kind: a name has 1 to 100"),
        ({"scores": [SCORE]}, "scores: 'list' object"),
        (scored(name="Accuracy", estimate=7.3), "scores.network.0: Accuracy: estimate: a share lies between"),
        ({"scores": {"\ud800": [SCORE]}}, "a text: .*surrogates not allowed"),
        (scored(estimate=7.3), "scores.network.0: accuracy: estimate: a share lies between 0 and 1: 7.3"),
        (scored(low=-0.1), "scores.network.0: accuracy: low: a share lies between 0 and 1: -0.1"),
        (scored(name="exact, asked faces", high=1.01), "scores.network.0: exact, asked faces: high: a share"),
        (scored(estimate=True), "scores.network.0.estimate: Input should be a valid number, not True"),
        (scored(faces=True), "scores.network.0.faces: Input should be a valid integer, not True"),
        (scored(estimate=10**5000), "scores: "),
        ({"run": "long"}, "run: Input should be 'short' or 'full', not 'long'"),
    ],
)
def test_what_is_no_record_is_not_written(changes, words, write, tmp_path):
    with pytest.raises(results.RecordError, match=rf"03_a_network.json: .*{words}.*\. Nothing was written"):
        write(**changes)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", ["03_\u202egnp", "03_\x1b[31m", "03\0"])
def test_a_record_of_any_name_is_refused_in_words_that_can_be_printed(name, write):
    with pytest.raises(results.RecordError, match=r"chapter: .*Nothing was written") as caught:
        write(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("trouble", ["damaged", "in the way", "no home", "no record"])
def test_trouble_with_the_embedded_faces_does_not_stop_the_record_of_others(
    trouble, write, data_dir, tmp_path, monkeypatch
):
    (data_dir / "factors.csv").write_text("path\n")
    cache = tmp_path / "cache"
    monkeypatch.setenv("FACELAB_CACHE", "~nobody-of-this-name/x" if trouble == "no home" else str(cache))
    if trouble == "damaged":
        embedded_faces = json.loads((embedded.ARCHIVES / "archives.json").read_text())["embedded_faces"]
        (cache / f"embedded_faces-{embedded_faces['sha256'][:16]}").mkdir(parents=True)
    elif trouble == "in the way":
        cache.write_text("a file")
    elif trouble == "no record":
        monkeypatch.setattr(embedded, "ARCHIVES", tmp_path)
    with pytest.raises(embedded.ArchiveError):
        embedded.data_dir()
    described = results.read(write()).data
    assert (described.name, described.rendered, described.photographs) == ("data", True, 30)


def test_embedded_faces_that_were_damaged_have_no_record(write, tmp_path, monkeypatch):
    archive = json.loads((embedded.ARCHIVES / "archives.json").read_text())["embedded_faces"]
    damaged = tmp_path / f"embedded_faces-{archive['sha256'][:16]}"
    damaged.mkdir()
    (damaged / "factors.csv").write_text("path\n")
    monkeypatch.setenv("FACELAB_CACHE", str(tmp_path))
    with pytest.raises(embedded.ArchiveError, match="is damaged"):
        write(data_dir=damaged)


def test_a_folder_that_is_no_data_set_is_refused(write, tmp_path):
    with pytest.raises(adience.DataSetError, match="nowhere is not a data set"):
        write(data_dir=tmp_path / "nowhere")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda record: record.pop("seconds"), "seconds: Field required\\. "),
        (lambda record: record.update(date="today"), "date: Unexpected keyword argument, not 'today'"),
        (lambda record: record["data"].pop("rendered"), "data.rendered: Field required"),
        (lambda record: record["data"].update(rendered=1), "data.rendered: Input should be a valid boolean"),
        (lambda record: record["data"].update(sha256="0" * 63), "data.sha256: String should match pattern"),
        (lambda record: record["data"].update(photographs=-1), "data.photographs: Input should be greater"),
        (lambda record: record["versions"].update(keras=3), "versions.keras: Input should be a valid string"),
        (lambda record: record["versions"].pop("keras"), "versions.keras: Field required"),
        (lambda record: record["versions"].update(torch="2"), "versions.torch: Unexpected keyword"),
        (
            lambda record: record["scores"]["network"][0].pop("faces"),
            "scores.network.0.faces: Field required",
        ),
        (lambda record: record.update(scores=[]), "scores: Input should be an object"),
        (lambda record: record.update(run="full"), "chapter: the full run of '03_a_network' belongs into"),
        (lambda record: record.update(chapter="04_other"), "chapter: the short run of '04_other' belongs"),
    ],
)
def test_a_record_that_was_spoilt_is_refused_with_file_and_key(edit, words, write):
    path = write()
    record = json.loads(path.read_text())
    edit(record)
    path.write_text(json.dumps(record))
    with pytest.raises(results.RecordError, match=f"03_a_network.json: {words}.*Run the lesson again"):
        results.read(path)


NOT_PLAIN = {
    "html": "<img src=x onerror=alert(7)>",
    "directive": "x*\n\n```{include} secret.txt\n```\n\n*",
    "role": "{raw}`x`",
    "cell": "a | b",
    "link": "[x](y)",
    "emphasis": "*x*",
    "formula": "$x",
    "line": "two\nlines",
    "separator": "two\u2028lines",
    "control": "\x1b[31m",
    "bidi": "\u202egnp.exe",
    "joiner": "a\u200bb",
    "long": "x" * 101,
    "empty": "",
    "blank": "  ",
}


@pytest.mark.parametrize("name", NOT_PLAIN.values(), ids=NOT_PLAIN)
@pytest.mark.parametrize(
    ("key", "put"),
    [
        ("data.name", lambda record, name: record["data"].update(name=name)),
        ("scores", lambda record, name: record["scores"].update({name: record["scores"]["network"]})),
        ("scores.network.0.name", lambda record, name: record["scores"]["network"][0].update(name=name)),
        ("versions.keras", lambda record, name: record["versions"].update(keras=name)),
    ],
)
def test_a_name_that_is_no_plain_text_is_refused_with_file_and_key(key, put, name, write):
    path = write()
    record = json.loads(path.read_text())
    put(record, name)
    path.write_text(json.dumps(record))
    with pytest.raises(results.RecordError, match=rf"^03_a_network.json: {key}") as caught:
        results.read(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name", ["faces", "ResNet-50, 10% (seed 1)", "Gesichter: 2–3 Jahre", "顔写真", "चेहरे", "½ ≥ ⅓"]
)
def test_a_name_of_any_script_is_plain(name, write):
    record = results.read(write(scores={name: [replace(SCORE, name=f"accuracy, {name}")]}))
    assert list(record.scores) == [name]


@pytest.mark.parametrize("name", ["my <b>faces<br>", "a`b|c", "x" * 120, "$\\frac{$", "[1]", "\u202ex"])
def test_a_folder_of_any_name_has_a_record(name, write, data_dir):
    moved = data_dir.rename(data_dir.with_name(name))
    described = results.read(write(data_dir=moved, table=adience.read_folds(moved))).data
    assert described.name == "".join(c if c.isalnum() or c in " " else "_" for c in name)[:100]


HOSTILE = (
    "x*\n\n```{include} secret.txt\n```\n\n<script>alert(7)</script> <img src=x> [a](b) ![c](d) $e$ | `f` *"
)


def test_whatever_a_record_says_the_page_shows_it_as_text(write, in_a_page):
    """Even if it came past all checks, as one does that is made by hand."""
    record = results.read(write())
    hostile = replace(
        record,
        data=replace(record.data, name=HOSTILE),
        parameters={"seed": 1, HOSTILE: HOSTILE},
        scores={HOSTILE: [replace(SCORE, name=HOSTILE)]},
    )
    shown = in_a_page(results.to_markdown(hostile))
    assert shown.elements == in_a_page(results.to_markdown(record)).elements
    assert shown.text.count("<script>alert(7)</script> <img src=x> [a](b) ![c](d) $e$ |") == 5


def test_two_threads_write_one_record_at_once(write):
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda seconds: write(seconds=seconds), range(60)))
    assert results.read(paths[0]).seconds in range(60)
    assert [file.name for file in paths[0].parent.iterdir()] == [paths[0].name]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1, 2]",
        b'"text"',
        b"[" * 100_000,
        b'{"seconds": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"NaN",
        b'{"chapter": "\\ud800"}',
    ],
    ids=[
        "nothing",
        "half",
        "list",
        "text",
        "brackets",
        "digits",
        "no UTF-8",
        "no number",
        "half a character",
    ],
)
def test_what_is_no_record_at_all_is_refused(content, tmp_path):
    path = tmp_path / "03_a_network.json"
    path.write_bytes(content)
    with pytest.raises(results.RecordError, match=r"03_a_network.json: the record: .*Run the lesson again"):
        results.read(path)


def test_a_record_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"03_a_network\.json"):
        results.read(tmp_path / "03_a_network.json")


def test_an_interrupted_writing_leaves_the_older_record(write, monkeypatch):
    path = write()
    before = path.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(results.Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(seconds=9)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_table_has_a_row_for_each_score(write):
    validation = replace(SCORE, name="one-off accuracy", split="validation", folds=[0, 1, 2, 3, 4])
    table = results.to_frame(results.read(write(scores={"first": [SCORE, validation], "second": [SCORE]})))
    assert table["model"].tolist() == ["first", "first", "second"]
    assert table["score"].tolist() == ["accuracy", "one-off accuracy", "accuracy"]
    assert table["folds"].tolist() == ["4", "0–4", "4"]
    assert table.loc[0, ["estimate", "low", "high"]].tolist() == [0.9, 0.88, 0.92]


def test_the_markdown_says_what_a_reader_must_know(write):
    folds = replace(SCORE, split="validation", folds=[0, 2])
    text = results.to_markdown(
        results.read(write(run="full", scores={"network": [SCORE, folds]}, seconds=7230))
    )
    table, note = text.split("\n\n")
    assert table.splitlines()[2:] == [
        "| network | accuracy | 0.900 (0.880–0.920) | 1,990 | 43 | 10.9 | test fold 4 |",
        "| network | accuracy | 0.900 (0.880–0.920) | 1,990 | 43 | 10.9 | validation for test folds 0, 2 |",
    ]
    assert len({line.count("|") for line in table.splitlines()}) == 1
    assert note.startswith("*Full run on data, 30 photographs in 10 albums, with `seed = 1`, `folds = [4]`")
    assert note.endswith("120 minutes of training.*")


def test_the_markdown_says_that_faces_are_rendered(write):
    folder = embedded.data_dir()
    note = results.to_markdown(results.read(write(data_dir=folder, table=adience.read_folds(folder))))
    assert "Short run on embedded faces, 9,996 rendered photographs in 214 albums" in note


def test_recording_does_not_load_tensorflow():
    check = "import sys; from facelab import results; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True)
