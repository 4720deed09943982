"""Search: which members, columns and labels foretell most, and what that finding is worth.

A search sees the training span alone. It judges what it tries by purged folds inside, and is itself
judged on steps that lie behind what it saw; see :mod:`models.search.nested`.
"""
