"""Server-rendered documentation."""
