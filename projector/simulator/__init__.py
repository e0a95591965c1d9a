"""A simulated Zoom account: seeded, consistent, and pure (no I/O, no wall clock)."""
