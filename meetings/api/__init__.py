"""The HTTP door of meetings."""
