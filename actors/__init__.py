"""Thin Ray shells around the loop: symbol, supervisor, collector, trainer, start-up."""
