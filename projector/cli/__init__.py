"""The command line: the only place that wires settings, database and parts together."""
