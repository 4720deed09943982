"""The families of columns: one file each, found through :mod:`features.catalogue`."""
