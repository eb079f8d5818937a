"""Decisions that write, one file per noun."""
