"""The event log and the quarantine: the only writer of the schema `log`."""
