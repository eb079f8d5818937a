"""Who pays, for what, and how much was used."""
