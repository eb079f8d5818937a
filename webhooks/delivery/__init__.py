"""Sends requests and decides on retries. Knows no rows."""
