"""The command line, a group of commands a file; `pregao.py` puts them together."""
