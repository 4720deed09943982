"""A call the venue turns down, in its own codes and words."""

from __future__ import annotations

__all__ = ["Refusal"]


class Refusal(Exception):
    """A call is turned down.

    Parameters
    ----------
    code
        Binance's number, such as -1121.
    message
        Binance's words.
    status
        Of HTTP.
    headers
        Sent with it.
    """

    def __init__(
        self, code: int, message: str, status: int = 400, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, object]:
        """What is answered."""
        return {"code": self.code, "msg": self.message}
