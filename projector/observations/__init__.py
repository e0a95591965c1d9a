"""Observations: what Zoom's REST API shows, compared with the directory; the differences become events."""
