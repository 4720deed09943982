"""The built web page: files in ``serve/web/dist``, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from market.errors import StateError

__all__ = ["DIST", "mount"]

DIST = Path(__file__).parent / "web" / "dist"


class _Assets(StaticFiles):
    """Files whose names carry a hash of their content, so browsers may keep them for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def mount(app: FastAPI, folder: Path = DIST) -> None:
    """Serve the page at ``/`` and the API's description at ``/docs``.

    Raises
    ------
    StateError
        The page isn't there.
    """
    if not (folder / "index.html").is_file():
        raise StateError(f"{folder} holds no built page; run `npm ci && npm run build` beside it")

    def file(name: str) -> FileResponse:
        return FileResponse(folder / name, headers={"cache-control": "no-cache"})

    @app.get("/", include_in_schema=False)
    def index() -> FileResponse:
        return file("index.html")

    @app.get("/docs", include_in_schema=False)
    def docs() -> FileResponse:
        return file("docs.html")

    @app.get("/favicon.svg", include_in_schema=False)
    def icon() -> FileResponse:
        return file("favicon.svg")

    app.mount("/assets", _Assets(directory=folder / "assets"), name="assets")
