"""Members that learn from rows laid side by side; one kind a file, found through the catalogue."""
