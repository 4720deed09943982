"""Fitting an ensemble: purged folds, pieces of work that run anywhere, and what is kept of them."""
