"""Reads of what the world is owed and has sent, one file per noun."""
