import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facelab import adience
from facelab.adience._splits import refuse_shared_albums


def table_of(albums: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """A table from the fold and the number of photographs of each album."""
    rows = [(album, fold) for album, (fold, number) in albums.items() for _ in range(number)]
    table = pd.DataFrame(rows, columns=["user_id", "fold"])
    groups = [adience.AGE_GROUPS[n * n % 8] for n in range(len(table))]
    genders = [adience.GENDERS[n % 3 % 2] for n in range(len(table))]
    return table.assign(
        age_group=pd.Categorical(groups, categories=adience.AGE_GROUPS, ordered=True),
        gender=pd.Categorical(genders, categories=adience.GENDERS),
    )


# Sizes as in the benchmark: most albums are small, a few have hundreds.
sizes = st.one_of(st.integers(1, 20), st.sampled_from([150, 400]))
tables = st.lists(st.tuples(st.integers(0, 4), sizes), min_size=1, max_size=40).map(
    lambda albums: table_of(
        {"a": (0, 3), "b": (1, 4), "c": (2, 5)} | {str(n): album for n, album in enumerate(albums)}
    )
)


@settings(max_examples=30)
@given(tables, st.integers(0, 2), st.integers(0, 99))
def test_a_split_is_a_partition_by_album(table: pd.DataFrame, fold: int, seed: int) -> None:
    parts = adience.split(table, fold, seed)
    assert sorted([*parts.train.index, *parts.validation.index, *parts.test.index]) == table.index.tolist()
    assert all(len(part) > 0 and part.index.is_monotonic_increasing for part in parts)
    albums = [set(part["user_id"]) for part in parts]
    assert sum(map(len, albums)) == len(set.union(*albums))
    assert set(parts.test["fold"]) == {fold}
    assert fold not in {*parts.train["fold"], *parts.validation["fold"]}


def test_the_seed_alone_decides() -> None:
    table = table_of({str(n): (n % 5, 1 + n * n % 17) for n in range(60)})
    again = [adience.split(table, 3, seed=1).validation.index.tolist() for _ in range(2)]
    assert again[0] == again[1]
    assert again[0] != adience.split(table, 3, seed=2).validation.index.tolist()


def test_validation_has_the_wanted_size_and_labels() -> None:
    table = table_of({str(n): (n % 5, 1) for n in range(2000)})
    parts = adience.split(table, 0)
    outside = pd.concat([parts.train, parts.validation])
    assert len(parts.validation) == 0.15 * len(outside)
    for column in ("age_group", "gender"):
        shares = parts.validation[column].value_counts(normalize=True) - outside[column].value_counts(
            normalize=True
        )
        assert shares.abs().max() < 0.05


def test_one_huge_album_does_not_become_the_validation() -> None:
    table = table_of({"huge": (1, 900)} | {str(n): (n % 5, 6) for n in range(60)})
    for seed in range(5):
        assert len(adience.split(table, 0, seed).validation) < 250


def test_an_album_in_two_folds_is_refused() -> None:
    table = table_of({"a": (0, 3), "b": (1, 3), "c": (2, 3)})
    table.loc[8, "fold"] = 0
    with pytest.raises(adience.DataSetError, match=r"and test share 1 albums, the first 'c'.*into one fold"):
        adience.split(table, 0)


def test_a_split_of_your_own_can_be_checked() -> None:
    table = table_of({"a": (0, 3), "b": (1, 3), "c": (2, 3)})
    good = adience.Split(table[:3], table[3:6], table[6:])
    refuse_shared_albums(good)
    with pytest.raises(adience.DataSetError, match="train and validation share 1 albums, the first 'a'"):
        refuse_shared_albums(good._replace(validation=table[2:6]))


def test_a_fold_that_is_not_there_is_refused() -> None:
    with pytest.raises(adience.DataSetError, match=r"no fold 7: the table has \[0, 1\]"):
        adience.split(table_of({"a": (0, 3), "b": (1, 3)}), 7)


def test_too_few_albums_are_refused() -> None:
    with pytest.raises(adience.DataSetError, match="fewer than two albums"):
        adience.split(table_of({"a": (0, 3), "b": (1, 3)}), 0)


def test_of_equally_good_selections_the_first_one_drawn_is_taken() -> None:
    # Ten albums that are all alike: each is as good for validation as any other, whatever its name.
    table = table_of(dict.fromkeys("jihgfedcba", (0, 4)) | {"test": (1, 4)})
    table["age_group"], table["gender"] = table["age_group"].iloc[0], table["gender"].iloc[0]
    for seed in range(10):
        first_drawn = sorted("abcdefghij")[np.random.default_rng(seed).permutation(10)[0]]
        assert set(adience.split(table, 1, seed).validation["user_id"]) == {first_drawn}
