"""A meeting becomes a file."""
