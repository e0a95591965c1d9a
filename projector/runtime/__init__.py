"""The projection runtime: leases, the feed of events, and one worker per projection."""
