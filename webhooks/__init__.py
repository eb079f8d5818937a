"""The world is told, and the world may tell us."""
