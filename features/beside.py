"""What a symbol's columns are made of besides its ticks or bars; see :mod:`market.beside`."""

from market.beside import Beside

__all__ = ["Beside"]
