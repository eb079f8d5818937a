"""The process that dispatches queued jobs, fans events out and runs chores."""
