"""Whatever bytes come in, a reader answers with an event or with one of our errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoders import DECODERS, Decoder

SECONDS = int(float(os.environ.get("PREGAO_SOAK_SECONDS", "300")))
NAMES = [one.name for one in DECODERS]
PIECES = (
    b"null", b"NaN", b"-1", b"0", b"1e400", b"-0.0", b"true", b'""', b"[]", b"{}", b'"\\ud800"',
    b"99999999999999999999", b"1775001600", b'"1.5"', b"\x00", b"\xff", b",", b"\n", b";",
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, one: Decoder) -> bytes:
    """A good input, of which some parts are cut out, doubled or replaced."""
    data = draw(st.sampled_from(one.examples))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        stop = draw(st.integers(start, min(len(data), start + 24)))
        piece = draw(
            st.sampled_from(PIECES) | st.binary(max_size=6) | st.just(data[start:stop] * 2)
        )
        data = data[:start] + piece + data[stop:]
    return data


@pytest.mark.parametrize("one", DECODERS, ids=NAMES)
def test_the_examples_are_good(one: Decoder) -> None:
    if one.name == "recording as Parquet":
        pytest.skip(
            "its example is only the outside of a file; tests/test_files.py reads real ones"
        )
    assert [one.survives(example) for example in one.examples] == [True] * len(one.examples)


@pytest.mark.parametrize("one", DECODERS, ids=NAMES)
def test_damaged_input_is_read_or_refused(one: Decoder) -> None:
    @settings(max_examples=60 if "recording" in one.name else 300, deadline=None)
    @given(data=damaged(one) | st.binary(max_size=200))
    def check(data: bytes) -> None:
        one.survives(data)

    check()


@pytest.mark.soak
@pytest.mark.parametrize("number", range(len(DECODERS)), ids=NAMES)
def test_minutes_of_fuzzing_find_nothing(number: int, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris is not built for this platform or Python")
    seconds = max(10, SECONDS // len(DECODERS))
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", str(number), str(seconds), str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done" in done.stderr
