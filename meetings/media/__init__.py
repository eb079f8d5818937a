"""What a recording is, found from its bytes, and the sound inside it."""
