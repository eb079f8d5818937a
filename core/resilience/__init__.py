"""Limits on shared resources that leave room for everyone."""
