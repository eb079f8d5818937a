"""Every decision that writes about meetings: one file per noun."""
