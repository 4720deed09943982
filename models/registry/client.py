"""MLflow's client as the registry uses it: silent, crash-safe, and with our errors.

MLflow takes two seconds to import: this is done when a registry is first used, not before, and
never in what trades or serves.
"""

from __future__ import annotations

import fcntl
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from market.errors import StateError
from models.registry.config import SERVER, RegistryConfig

if TYPE_CHECKING:
    import types

__all__ = ["Client", "Unreachable", "durable", "pages"]

DATABASE = "mlflow.db"
PAGE = 100


class Unreachable(StateError):
    """The server doesn't answer; what it holds is unknown."""


class Client:
    """One registry's MLflow; any method of ``MlflowClient`` is one of this.

    Parameters
    ----------
    config
        Where it is.
    """

    def __init__(self, config: RegistryConfig) -> None:
        self.config = config
        self._client: Any = None

    @property
    def local(self) -> bool:
        """Whether it is a folder of ours."""
        return not self.config.uri

    @property
    def exists(self) -> bool:
        """Whether anything was ever written; a server is taken to be there."""
        return not self.local or (self.config.folder / DATABASE).is_file()

    @contextmanager
    def alone(self, make: bool = False) -> Iterator[None]:
        """Keep other processes from writing meanwhile; a server's own transactions must do.

        Parameters
        ----------
        make
            Make the registry if there is none; else there is nothing to keep then.

        Notes
        -----
        SQLite lets two processes read, and then refuses one of them to write: they take turns
        here. Should a process die, the system opens the lock.
        """
        if not (self.local and (make or self.exists)):
            yield
            return
        self.config.folder.mkdir(parents=True, exist_ok=True)
        with (self.config.folder / "lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not self.exists:
                self._create()
            yield

    def _create(self) -> None:
        """Make the database beside, and rename it: half of one could not be opened again."""
        beside = self.config.folder / f".new-{DATABASE}"
        for left in self.config.folder.glob(f".new-{DATABASE}*"):
            left.unlink()
        _dispose(self._open(_sqlite(beside)))
        durable(beside)
        beside.rename(self.config.folder / DATABASE)
        durable(self.config.folder)

    def close(self) -> None:
        """Close its files; a later call opens them again."""
        if self._client is not None and self.local:
            _dispose(self._client)
        self._client = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        if self._client is None:
            place = _sqlite(self.config.folder / DATABASE) if self.local else self.config.uri
            self._client = self._open(place)
        return self._told(getattr(self._client, name))

    def _open(self, place: str) -> Any:
        mlflow = _mlflow()
        return self._told(mlflow.MlflowClient)(place, place)

    def _told(self, call: Callable[..., Any]) -> Callable[..., Any]:
        from mlflow.exceptions import MlflowException

        @wraps(call)
        def told(*arguments: Any, **options: Any) -> Any:
            try:
                return call(*arguments, **options)
            except MlflowException as error:
                raise self._ours(str(error)) from error

        return told

    def _ours(self, said: str) -> StateError:
        where = f"registry {self.config.where}"
        if "out-of-date database schema" in said:
            remedy = f"copy {DATABASE}, then run `mlflow db upgrade` on it"
            return StateError(f"{where}: made by another version of MLflow; {remedy}")
        if "API request to" in said and "failed with" in said:
            return Unreachable(f"{where}: no answer; start the server, or check {SERVER}")
        return StateError(f"{where}: {said.splitlines()[0] if said else 'MLflow refused'}")


def pages(call: Callable[..., Any], **options: Any) -> Iterator[Any]:
    """Yield everything that a search of MLflow finds, page by page."""
    token = None
    while True:
        page = call(max_results=PAGE, page_token=token, **options)
        yield from page
        token = page.token
        if not token:
            return


def durable(path: Path) -> None:
    """Make a file, or a folder's list of files, outlive a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sqlite(path: Path) -> str:
    return f"sqlite:///{path.absolute()}"


def _dispose(client: Any) -> None:
    """Close a database's connections; MLflow keeps them for as long as the process lives."""
    for store in (client._tracking_client.store, client._get_registry_client().store):
        with suppress(AttributeError):  # two of MLflow's own, by which it does it itself
            store._dispose_engine()


def _mlflow() -> types.ModuleType:
    """Import MLflow; it reports to nobody, and says only what is wrong."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # read when it is imported, and later
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # else a minute of silence
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    with warnings.catch_warnings():
        from sqlalchemy.exc import SADeprecationWarning

        # Its tables are declared in a way that SQLAlchemy 2.1 means to give up.
        warnings.simplefilter("ignore", SADeprecationWarning)
        import mlflow
        import mlflow.store.tracking.sqlalchemy_store

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow
