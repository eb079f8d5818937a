"""A meeting becomes text, and text becomes knowledge."""
