"""Real processes that are killed, stopped, cut off and misled; `./mb faults` runs them."""
