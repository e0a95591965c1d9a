"""Rebuild and verification: the log folded afresh into shadow tables, by the ordinary fold."""
