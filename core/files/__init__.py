"""Stored bytes: keys by id, one copy per organization and content, counted references."""
