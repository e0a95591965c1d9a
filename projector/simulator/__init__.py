"""A simulated Zoom account, seeded and consistent, and a Zoom that delivers its events."""
