"""Where the registry is: a folder, or an MLflow server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from market.config import Config

__all__ = ["SERVER", "RegistryConfig"]

SERVER = "PREGAO_REGISTRY"
"""Environment variable that names a server."""


class RegistryConfig(Config):
    """Where models are registered and trials counted.

    Parameters
    ----------
    folder
        Holds ``mlflow.db`` and ``artifacts``; made when first written to. Not used with ``uri``.
    uri
        ``http(s)://host:port`` of an MLflow server; empty for the folder. What it asks for to let
        one in comes from MLflow's environment variables alone: ``MLFLOW_TRACKING_USERNAME`` and
        ``MLFLOW_TRACKING_PASSWORD``, or ``MLFLOW_TRACKING_TOKEN``.
    prefix
        Of the names of models and experiments, so that a server may hold others' too.

    Examples
    --------
    >>> RegistryConfig(uri="https://models.example:5000").where
    'https://models.example:5000'
    >>> RegistryConfig(uri="https://me:secret@models.example")
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for RegistryConfig
    uri
      Value error, must not hold a user or password; set MLFLOW_TRACKING_USERNAME and
      MLFLOW_TRACKING_PASSWORD ...
    """

    folder: Path = Path("var/registry")
    uri: Annotated[str, Field(pattern=r"^(https?://.+)?$")] = ""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = "pregao"

    @field_validator("uri")
    @classmethod
    def _no_secret(cls, uri: str) -> str:
        if "@" in uri:
            raise ValueError(
                "must not hold a user or password; set MLFLOW_TRACKING_USERNAME and "
                "MLFLOW_TRACKING_PASSWORD in the environment"
            )
        return uri.rstrip("/")

    @classmethod
    def of(cls, folder: str | Path) -> RegistryConfig:
        """Return the registry of a floor's folder; the server that ``PREGAO_REGISTRY`` names."""
        return cls(folder=Path(folder) / "registry", uri=os.environ.get(SERVER, ""))

    @property
    def where(self) -> str:
        """What to call it in messages."""
        return self.uri or str(self.folder)
