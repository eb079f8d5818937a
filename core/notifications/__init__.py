"""Telling a person: one row, one e-mail job."""
