"""Zoom's REST API, played for a simulated account."""
