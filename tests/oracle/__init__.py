"""A second, deliberately naive fold of the log, and histories to compare it on.

Nothing here imports the product: it is written from the behaviour contract alone, so
that the two can disagree.
"""
