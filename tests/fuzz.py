"""Fuzz one decoder with atheris: ``python -m tests.fuzz NUMBER SECONDS FOLDER``.

Guided by which branches an input reaches; an input that lets anything but one of our errors out
ends the run, and is left in FOLDER.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    # Not when this is imported: atheris rewrites what is imported after it, and numba is asked
    # once. As Python, compiled code can be followed, too, and a place outside an array is an error.
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    import atheris

    with atheris.instrument_imports(
        include=["venues.binance", "venues.deriv", "venues.files", "venues.profit"],
        enable_loader_override=False,
    ):
        from tests.decoders import DECODERS

    number, seconds, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    one = DECODERS[number]
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for i, example in enumerate(one.examples):
        (corpus / f"example-{i}").write_bytes(example)
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={folder}/", "-max_len=4096"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda data: one.survives(data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
