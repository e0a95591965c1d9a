"""Pure folding: documents, typed columns, tables, and the fold of a batch. No I/O, no clock."""
