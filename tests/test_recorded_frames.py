"""Recorded frames of Binance: the book that comes of them is the venue's."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from market.book import Book
from market.events import BookUpdate, FeedGap
from market.series import Series
from venues.library.frames import read_frames

AT = 1_723_161_255_000


def change(number: int, first: int, last: int, bids: list[list[str]]) -> str:
    data = {"e": "depthUpdate", "E": AT + number, "s": "X", "U": first, "u": last}
    return json.dumps({"stream": "x@depth@100ms", "data": {**data, "b": bids, "a": []}})


def snapshot(last: int, bids: list[list[str]]) -> str:
    # as the venue writes it: recognised by how it begins
    text = json.dumps({"lastUpdateId": last, "bids": bids, "asks": [["10.0", "1.0"]]})
    return text.replace(" ", "")


def book_of(tmp_path: Path, frames: list[str]) -> tuple[list[BookUpdate | FeedGap], list[str]]:
    path = tmp_path / "x.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(f"{AT + k} {frame}\n" for k, frame in enumerate(frames))
    read = read_frames(path)
    found = [one for one in read.series if one.kind == "book"]
    return [event for one in found for event in one.events()], [row.reason for row in read.bad]


def test_a_snapshot_that_is_older_than_changes_told_before_it_is_brought_up_to_date(
    tmp_path: Path,
) -> None:
    told, _ = book_of(
        tmp_path,
        [
            change(1, 1, 4, [["9.0", "7.0"]]),
            change(2, 5, 8, [["9.0", "3.0"]]),
            snapshot(6, [["9.0", "2.0"]]),
            change(3, 9, 9, [["8.0", "1.0"]]),
        ],
    )
    assert [one.last for one in told] == [6, 8, 9]
    book = Book("X", "0.1")
    for one in told:
        book.update(one)
    assert book.bids(5).tolist() == [[9.0, 3.0], [8.0, 1.0]]


def test_a_missing_change_is_a_hole_until_the_next_snapshot(tmp_path: Path) -> None:
    told, bad = book_of(
        tmp_path,
        [
            change(1, 1, 4, []),
            snapshot(4, [["9.0", "2.0"]]),
            change(2, 5, 5, [["9.0", "3.0"]]),
            change(3, 7, 7, [["9.0", "4.0"]]),
            snapshot(8, [["9.0", "5.0"]]),
            change(4, 9, 9, [["9.0", "6.0"]]),
        ],
    )
    kinds = [type(one).__name__ for one in told]
    assert kinds == ["BookUpdate", "BookUpdate", "FeedGap", "BookUpdate", "BookUpdate"]
    assert not bad
    alone, bad = book_of(tmp_path, [change(1, 1, 4, []), change(2, 5, 5, []), QUOTE])
    assert alone == []
    assert bad == ["changes of an order book that no snapshot of it in the file begins"]


QUOTE = '{"stream":"x@bookTicker","data":{"u":1,"s":"X","b":"9.0","B":"1","a":"10.0","A":"1"}}'


@pytest.mark.parametrize("name", ["spot_btcusdt", "spot_ethusdt", "usdm_btcusdt"])
def test_a_real_books_top_is_the_one_that_was_quoted(data_folder: Path, name: str) -> None:
    (path,) = (data_folder / "binance_l2_raw").glob(f"{name}_*.gz")
    kinds: dict[str, Series] = {one.kind: one for one in read_frames(path).series}
    ticks, book = kinds["ticks"], Book(kinds["book"].symbol, "0.01")
    quoted = {*zip(ticks.columns["bid"].tolist(), ticks.columns["ask"].tolist(), strict=True)}
    tops, crossed = [], 0
    for one in kinds["book"].events():
        assert isinstance(one, BookUpdate), "no change is missing in these"
        book.update(one)
        tops.append((book.best_bid, book.best_ask))
        crossed += book.crossed
    assert crossed == 0
    assert np.mean([top in quoted for top in tops]) > 0.99
