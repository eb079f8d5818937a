"""What every app stands on: a stack of small packages, each named after one idea."""
