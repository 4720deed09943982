"""Selection: what was planted is found, once; and every part of it equals its definition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import mutual_info_score

from features.selection import SelectionConfig, select
from features.selection.clusters import clusters, representatives, spearman
from features.selection.mutual import binned, information, ranked, relevance
from market.errors import DataError
from tests.planted import TOLD, TWINS, planted


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 300), sides=st.integers(1, 6))
def test_information_equals_its_definition(seed: int, rows: int, sides: int) -> None:
    rng = np.random.default_rng(seed)
    other = rng.integers(0, sides, rows).astype(np.uint8)
    codes = ((rng.integers(0, 9, (4, rows)) + other) % 9).astype(np.uint8)
    repeats = rng.integers(0, 4, rows)
    repeats[0] = 1
    found = information(codes, other, repeats.astype(float))
    corrected = information(codes, other, np.ones(rows), correct=True)
    for j in range(4):
        expected = mutual_info_score(np.repeat(codes[j], repeats), np.repeat(other, repeats))
        assert found[j] == pytest.approx(expected, rel=1e-9, abs=1e-12)
        cells = len(set(zip(codes[j].tolist(), other.tolist(), strict=True)))
        bias = cells - len(set(codes[j].tolist())) - len(set(other.tolist())) + 1
        expected = mutual_info_score(codes[j], other) - bias / (2 * rows)
        assert corrected[j] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_ranks_and_bins_keep_equals_together() -> None:
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.normal(size=997), rng.integers(0, 3, 997), rng.random(997) < 0.01])
    expected = (pd.DataFrame(X).rank().to_numpy().T - 0.5) / 997
    np.testing.assert_allclose(ranked(X), expected, rtol=1e-12)
    codes = binned(ranked(X), 16)
    assert np.bincount(codes[0]).tolist() == pytest.approx([997 / 16] * 16, abs=1.0)
    for column, code in zip(X.T[1:], codes[1:], strict=True):
        assert len({*zip(column.tolist(), code.tolist(), strict=True)}) == len(set(column.tolist()))
    np.testing.assert_array_equal(binned(ranked(np.exp(X)), 16), codes)
    with pytest.raises(ValueError, match="bins must be from 2 to 256, was 1"):
        binned(ranked(X), 1)


def test_shifted_labels_show_what_slowness_alone_makes_of_noise() -> None:
    rng = np.random.default_rng(2)
    kernel = np.ones(40)
    columns = np.array([np.convolve(rng.normal(size=4000), kernel, "valid") for _ in range(60)])
    sums = np.convolve(rng.normal(size=4000), kernel, "valid")  # a label over 40 rows to come
    labels = np.digitize(sums, np.quantile(sums, [1 / 3, 2 / 3])).astype(np.uint8)
    codes, ones = binned(ranked(columns.T), 16), np.ones(len(sums))
    counted = relevance(codes, labels, ones, 0, rng)
    shifted = relevance(codes, labels, ones, 16, rng)
    assert counted.min() > 0.0  # all of it noise, and all of it "informative"
    assert abs(shifted.mean()) < 3.0 * shifted.std() / np.sqrt(60)


def test_clusters_are_of_rank_correlation_whatever_its_sign() -> None:
    rng = np.random.default_rng(3)
    X, _, _ = planted(800, 4, rng)
    rho = spearman(ranked(X))
    np.testing.assert_allclose(rho, spearmanr(X).statistic, rtol=1e-9, atol=1e-12)
    found = clusters(rho, 0.9)
    assert found.labels.tolist() == [0, 1, 2, 0, 1, 2, 3, 4, 5, 6]
    assert len(found) == 7
    assert len(clusters(rho, 0.0)) == 1
    assert clusters(np.ones((1, 1)), 0.9).labels.tolist() == [0]
    same = clusters(spearman(ranked(X[:, [0, 1, 0]])), 1.0)
    assert same.labels.tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match=r"threshold must be from 0 to 1, was 1\.5"):
        clusters(rho, 1.5)


def test_a_cluster_is_told_by_its_most_relevant_column_or_the_first_that_is_near() -> None:
    labels = np.array([1, 0, 1, 0])
    assert representatives(labels, np.array([0.5, -2.0, 0.51, -1.0]), 0.9).tolist() == [3, 0]
    assert representatives(labels, np.array([0.5, -2.0, 0.51, -1.0])).tolist() == [3, 2]


@pytest.mark.parametrize("method", ["mrmr", "gain", "permutation"])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_planted_columns_are_chosen_and_none_of_them_twice(method: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, y, names = planted(2000, 24, rng)
    config = SelectionConfig(columns=5, method=method, rounds=40)
    chosen = select(X, y, names, config, rng=np.random.default_rng(7))
    first = {name.replace("twin", "told") for name in chosen.names[:3]}
    assert first == set(TOLD)
    assert len(chosen.names) == 5
    assert not set(chosen.names[3:]) & {*TOLD, *TWINS}
    assert chosen.names == tuple(names[j] for j in chosen.indices)
    assert (np.diff(chosen.scores) <= 0.0).all() or method == "mrmr"
    again = select(X, y, names, config, rng=np.random.default_rng(7))
    assert again.names == chosen.names
    np.testing.assert_array_equal(again.scores, chosen.scores)


def test_noise_is_not_preferred_for_being_unrelated_to_what_is_chosen() -> None:
    rng = np.random.default_rng(5)
    common = rng.normal(size=(6000, 1))
    X = np.hstack([0.7 * common + 0.7 * rng.normal(size=(6000, 4)), rng.normal(size=(6000, 30))])
    y = (X[:, :4].sum(axis=1) + 12.0 * rng.normal(size=6000) > 0.0).astype(int)
    names = [f"weak_{i}" for i in range(4)] + [f"noise_{i}" for i in range(30)]
    chosen = select(X, y, names, SelectionConfig(columns=4, bins=8), rng=rng)
    assert sum(name.startswith("weak") for name in chosen.names) >= 3


def test_mrmr_equals_a_plain_one() -> None:
    rng = np.random.default_rng(6)
    X, y, names = planted(600, 8, rng)
    X += 0.4 * X @ rng.normal(size=(14, 14))  # so that all are somewhat redundant
    config = SelectionConfig(columns=14, correlation=1.0, shifts=0, bins=6)
    chosen = select(X, y, names, config, rng=rng)
    codes = [
        pd.qcut(column, 6, labels=False).astype(int) for column in X.T
    ]  # equal frequency: no two values are the same

    def corrected(a, b):
        bias = len({*zip(a, b, strict=True)}) - len(set(a)) - len(set(b)) + 1
        return mutual_info_score(a, b) - bias / 1200

    gained = [corrected(code, y) for code in codes]
    np.testing.assert_allclose(chosen.relevance, gained, rtol=1e-9, atol=1e-12)
    expected: list[int] = [int(np.argmax(gained))]
    while len(expected) < 14:
        best, value = -1, -np.inf
        for j in set(range(14)) - set(expected):
            shared = [max(corrected(codes[j], codes[s]), 0.0) for s in expected]
            mean = np.mean([np.sqrt(1.0 - np.exp(-2.0 * one)) for one in shared])
            quotient = gained[j] / max(mean, 0.1) if gained[j] > 0.0 else gained[j]
            if quotient > value:
                best, value = j, quotient
        expected.append(best)
    assert chosen.indices.tolist() == expected


def test_columns_that_say_nothing_are_rejected_with_the_reason() -> None:
    rng = np.random.default_rng(8)
    X, y, names = planted(500, 3, rng)
    X[:, 0] = 4.0
    X[7, 1] = np.nan
    X[8:10, 4] = np.inf
    config = SelectionConfig(columns=20)
    chosen = select(X, y, names, config, rng=rng)
    assert chosen.rejected == {
        "told_0": "constant at 4",
        "told_1": "not finite on 1 of 500 rows",
        "twin_1": "not finite on 2 of 500 rows",
    }
    assert not set(chosen.names) & set(chosen.rejected)
    assert chosen.clusters[[0, 1, 4]].tolist() == [-1, -1, -1]
    assert np.isnan(chosen.relevance[[0, 1, 4]]).all()
    assert len(chosen.names) == len(chosen.grouping) == 5
    with pytest.raises(DataError, match="told_0 is constant at 4, told_1 is not finite on 1 of"):
        select(X[:, :2], y, names[:2], config, rng=rng)


def test_unknown_labels_and_rows_of_no_weight_are_as_if_they_were_not_there() -> None:
    rng = np.random.default_rng(9)
    X, y, names = planted(900, 6, rng)
    known, some = rng.random(900) < 0.7, rng.random(900) < 0.8
    X[~known] = np.nan
    config = SelectionConfig(columns=6)
    kept = known & some
    one = select(
        X, np.where(known, y, -1), names, config,
        rng=np.random.default_rng(0), weights=np.where(some, 0.5, 0.0),
    )  # fmt: skip
    other = select(X[kept], y[kept], names, config, rng=np.random.default_rng(0))
    assert one.names == other.names
    assert one.rows == kept.sum()
    np.testing.assert_allclose(one.scores, other.scores, rtol=1e-9)


def test_wrong_input_is_told() -> None:
    rng = np.random.default_rng(10)
    X, y, names = planted(50, 1, rng)
    config = SelectionConfig()
    with pytest.raises(DataError, match=r"two classes or more, 50 known rows hold \[1\]"):
        select(X, np.ones(50, int), names, config, rng=rng)
    with pytest.raises(DataError, match="0 known rows hold"):
        select(X, np.full(50, -1), names, config, rng=rng)
    with pytest.raises(ValueError, match="X must be"):
        select(X, y, names[1:], config, rng=rng)
    with pytest.raises(ValueError, match="named twice"):
        select(X, y, [names[0], *names[:-1]], config, rng=rng)
    with pytest.raises(ValueError, match="weights must be one a row"):
        select(X, y, names, config, rng=rng, weights=-np.ones(50))
    with pytest.raises(DataError, match="too few for permutation with a gap of 50"):
        select(X, y, names, SelectionConfig(method="permutation", gap=50), rng=rng)
