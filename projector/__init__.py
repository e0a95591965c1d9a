"""The directory projector: Zoom's "Users" webhooks as a PostgreSQL directory that one can query.

Which room a line belongs to; the first yes wins. Typed or read by a person: cli, console; what an
operator does about trouble: operations. Brought by a socket: ingress; asked of Zoom: rest; what that tells:
observations. False if Zoom changed its webhooks, with no fold or database in it: zoom. (state, event) ->
state: the mechanism in folding, one entity in projections. Asked of the past: history. Rows of schema log or
state: log or state (to come: archive); their DDL: schema. When to fold: for ever in live, once in rebuild. A
server of our own: embedded; a Zoom of our own: simulator. Else the root, which knows none of them. Imports go
down, as pyproject.toml draws it.
"""

__version__ = "0.1.0"
