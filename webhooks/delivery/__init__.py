"""The engine that sends: many exchanges at once, and what an answer means for the next attempt."""
