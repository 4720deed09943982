"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Columns", "ConfigFile", "DataFolder", "Symbols"]

ConfigFile = Annotated[
    Path, typer.Argument(help="YAML file, or a strategy in JSON.", show_default=False)
]

DataFolder = Annotated[
    Path, typer.Option("--data", help="Folder of recordings: CSV, Parquet, or a tick store.")
]

Symbols = Annotated[
    list[str] | None, typer.Option("--symbol", help="Whose; all there are if left out.")
]

Columns = Annotated[
    list[str] | None, typer.Option(help="Columns and sets in place of the config's.")
]
