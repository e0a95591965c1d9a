"""The benchmark suite: `python -m tests.benchmarks --help`."""
