"""From a meeting's minutes to a file: one module per format, and nothing that knows a row."""
