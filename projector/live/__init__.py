"""The live projection: leases, the feed of events, and one worker per projection, for ever."""
