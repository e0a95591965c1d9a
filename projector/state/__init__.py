"""Stored state: rows, checkpoints, dead letters. The only writer of the schema `state`."""
