"""The schema: migrations, the projections' tables, and the views over them."""
