"""A recording becomes timed text: find the speech, cut it into windows, transcribe each, join."""
