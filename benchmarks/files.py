"""Speed of reading recordings: ``python -m benchmarks.files``."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np
import pyarrow.csv

from venues.files.recording import read_recording

N = 1_000_000
BAR = 2.0
"""CPU seconds for a million rows."""


def main() -> None:
    """Print one line per figure."""
    with tempfile.TemporaryDirectory() as folder:
        for path in _write(Path(folder)):
            read_recording(path)  # what is loaded or compiled at the first time
            ours = _seconds(lambda path=path: read_recording(path))
            careful = _seconds(lambda path=path: read_recording(path, careful=True))
            parse = pyarrow.csv.ParseOptions(delimiter=";" if "profit" in path.stem else ",")
            bare = _seconds(lambda path=path, parse=parse: pyarrow.csv.read_csv(path, None, parse))
            plain = _seconds(lambda path=path: list(csv.reader(path.open())))
            print(
                f"{path.stem:<16} {N:,} rows in {ours:.2f} CPU-s (bar {BAR}); row by row "
                f"{careful:.1f}; cells alone, nothing checked: pyarrow {bare:.2f}, csv {plain:.2f}"
            )


def _seconds(task: object) -> float:
    began = process_time()
    task()  # type: ignore[operator]
    return process_time() - began


def _write(folder: Path) -> Iterator[Path]:
    rng = np.random.default_rng(0)
    prices = np.round(5000.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-4, N))), 1).tolist()
    path = folder / "R_75_ticks.csv"
    with path.open("w") as file:
        file.write("unix_time,instrument,price\n")
        file.writelines(f"{1_775_217_456 + 2 * k},R_75,{p}\n" for k, p in enumerate(prices))
    yield path
    path = folder / "BTCUSDT_1m.csv"
    minutes = np.datetime64("2024-01-01T00:00:00") + np.arange(N) * np.timedelta64(60, "s")
    with path.open("w") as file:
        file.write("ts,open,high,low,close,volume\n")
        file.writelines(
            f"{t}+00:00,{p},{p + 1},{p - 1},{p},{k % 7}\n"
            for k, (t, p) in enumerate(zip(minutes.astype(str).tolist(), prices, strict=True))
        )
    yield path
    path = folder / "WDO_1m_profit.csv"
    days = np.busday_offset("2015-01-05", np.arange(N // 540 + 1)).astype(str)
    dated = ["/".join(reversed(day.split("-"))) for day in days.tolist()]
    with path.open("w") as file:
        file.write("Ativo;Data;Hora;Abertura;Máximo;Mínimo;Fechamento;Volume;Quantidade\n")
        for k in reversed(range(N)):
            day, minute = divmod(k, 540)
            o, h, low = (f"{p:.3f}".replace(".", ",") for p in (prices[k], prices[k] + 1, 1.0))
            file.write(
                f"WDOFUT;{dated[day]};{9 + minute // 60:02}:{minute % 60:02}:00;"
                f"{o};{h};{low};{o};1.000,00;1.234\n"
            )
    yield path


if __name__ == "__main__":
    main()
