"""The past, as people ask for it: timelines, the feed of changes, snapshots."""
