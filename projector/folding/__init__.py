"""How anything folds: documents, typed columns, tables, the fold of a batch. Pure: no I/O, no clock."""
