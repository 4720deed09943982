"""Where data comes from and orders go: Deriv, files, the bundled exchange."""
