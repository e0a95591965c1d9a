"""Rebuild and verification: the whole log folded again into shadow tables, by the ordinary fold."""
