"""The directory projector: Zoom's "Users" webhooks as a PostgreSQL directory that one can query."""

__version__ = "0.1.0"
