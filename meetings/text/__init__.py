"""Words laid out for reading."""
