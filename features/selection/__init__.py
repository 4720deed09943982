"""Which few of many columns are chosen, how stable the choice is, and what each is worth."""

from features.selection.choice import Selection, SelectionConfig, select

__all__ = ["Selection", "SelectionConfig", "select"]
