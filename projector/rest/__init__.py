"""Asks Zoom's REST API: tokens, budget, pages, failures; no database, and no idea what for."""
