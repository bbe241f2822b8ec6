import numpy as np
import pandas as pd
import pytest

from facelab import counterfactuals

# ---- Effects -----------------------------------------------------------------------------------------------


def sweep() -> pd.DataFrame:
    """Three heads of two families; a value is a word that pandas may take for missing."""
    rows = [
        (head, family, "glasses", value, head + gain)
        for head, family in ((0, 7), (1, 7), (2, 9))
        for value, gain in (("none", 0.0), ("sun", 0.1 * (head + 1)), ("thick", 0.5))
    ]
    return pd.DataFrame(rows, columns=["identity", "family", "factor", "value", "group"]).sample(
        frac=1, random_state=3
    )


def test_a_head_is_compared_with_itself() -> None:
    found = counterfactuals.paired_differences(sweep(), "glasses", "sun", "none", "group")
    assert list(found) == ["identity", "family", "difference"]
    in_order = found.sort_values("identity")
    assert np.allclose(in_order["difference"], [0.1, 0.2, 0.3])
    assert in_order["family"].tolist() == [7, 7, 9]


def test_other_sweeps_of_the_same_values_stay_out() -> None:
    other = sweep().assign(factor="hats", group=100.0)
    found = counterfactuals.paired_differences(
        pd.concat([sweep(), other]), "glasses", "thick", "none", "group"
    )
    assert np.allclose(found["difference"], 0.5)


def test_a_value_that_pandas_lost_is_missed() -> None:
    lost = sweep().replace({"value": {"none": np.nan}})
    with pytest.raises(ValueError, match="has no 'none'"):
        counterfactuals.paired_differences(lost.dropna(), "glasses", "sun", "none", "group")


def test_a_head_without_its_pair_is_refused() -> None:
    table = sweep()
    lonely = table[~((table["identity"] == 2) & (table["value"] == "none"))]
    with pytest.raises(ValueError, match="one picture with glasses sun and one with none"):
        counterfactuals.paired_differences(lonely, "glasses", "sun", "none", "group")


# ---- Weights -----------------------------------------------------------------------------------------------


def test_by_weight_a_factor_says_nothing_of_the_label() -> None:
    table = pd.DataFrame(
        {"glasses": list("nnnnnnyyyy") + list("nny"), "age": list("aaaaabbbbb") + list("cca")}
    )
    table = pd.concat([table, pd.DataFrame({"glasses": list("yy"), "age": list("ac")})], ignore_index=True)
    weights = counterfactuals.independence_weights(table["glasses"], table["age"])
    counts = table.assign(weight=weights).pivot_table("weight", "glasses", "age", "sum").to_numpy()
    assert np.allclose(counts, np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum())
    assert weights.mean() == pytest.approx(1)


def test_a_pair_that_never_occurs_gets_no_weight_and_breaks_nothing() -> None:
    weights = counterfactuals.independence_weights(pd.Series(list("nnny")), pd.Series(list("aabb")))
    assert np.isfinite(weights).all()
    assert weights.mean() < 1


def test_the_order_of_categories_does_not_matter() -> None:
    labels = pd.Series(["(8, 12)", "(15, 20)", "(8, 12)", "(15, 20)", "(8, 12)"])
    ordered = labels.astype(pd.CategoricalDtype(["(8, 12)", "(15, 20)", "(60, 100)"], ordered=True))
    factor = pd.Series(["none", "none", "sun", "sun", "sun"])
    as_text = counterfactuals.independence_weights(factor, labels)
    assert np.allclose(as_text, counterfactuals.independence_weights(factor, ordered))


@pytest.mark.parametrize(
    ("factor", "label", "message"),
    [
        (["n"], ["a", "b"], "1 and 2 rows"),
        ([], [], "0 and 0 rows"),
        (["n", None], ["a", "b"], "is missing"),
    ],
)
def test_photographs_that_cannot_be_weighed_are_refused(factor, label, message) -> None:
    with pytest.raises(ValueError, match=message):
        counterfactuals.independence_weights(pd.Series(factor, dtype=object), pd.Series(label, dtype=object))
