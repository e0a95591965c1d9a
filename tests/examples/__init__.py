"""Examples of each projection: given some events, when others come, then these rows."""
