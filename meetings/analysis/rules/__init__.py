"""The embedded engine: finds the sections of an analysis by cue tables and by counting words."""
