"""Columns and labels held against data: who looks ahead, forgets, comes late or strays."""
