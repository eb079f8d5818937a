"""Every decision that writes, one module per noun."""
