"""Transcripts that others wrote, read into plain values."""
