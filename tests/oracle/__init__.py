"""A second, deliberately naive fold of the log, and histories to compare it on.

Nothing here imports the product: it is written only from the behaviour contract, so
that the two can disagree.
"""
