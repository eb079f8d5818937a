"""The guarded way out: every address a customer can give is checked, pinned and cut off in time."""
