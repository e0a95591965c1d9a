-- of the present alone
-- Deliveries that were refused and may be genuine: what may be shown of them. Their bodies and signatures are not.

CREATE OR REPLACE VIEW directory.quarantine AS
SELECT
    q.id,
    q.received_at,
    q.reason,
    -- As the ingress keeps it; whatever else were there would be of the body's choosing.
    CASE WHEN q.event ~ '^[a-z0-9_.]{1,64}$' THEN q.event END AS event,
    q.signed,
    q.size
FROM log.quarantine q;

COMMENT ON VIEW directory.quarantine IS
    'Deliveries that were refused and may be genuine all the same: one row each, until an operator has verified or purged it.';
COMMENT ON COLUMN directory.quarantine.id IS 'Number of the row, as the operators'' commands name it; grows with time.';
COMMENT ON COLUMN directory.quarantine.received_at IS 'Time of receipt.';
COMMENT ON COLUMN directory.quarantine.reason IS 'Why it was refused: wrong, stale (signature); not-an-event, media-type, other-event (form).';
COMMENT ON COLUMN directory.quarantine.event IS 'Name of the event that it claims to be; null where that is no plain name.';
COMMENT ON COLUMN directory.quarantine.signed IS 'Whether the signature was that of a live secret.';
COMMENT ON COLUMN directory.quarantine.size IS 'Bytes of the body.';

GRANT SELECT ON directory.quarantine TO directory_reader;

CREATE OR REPLACE VIEW directory.refusals AS
SELECT r.hour, r.reason, r.refused, r.first_at, r.last_at FROM log.refusals r;

COMMENT ON VIEW directory.refusals IS
    'Deliveries refused or dropped: one row an hour of the server''s clock and a reason. Of most there is nothing else.';
COMMENT ON COLUMN directory.refusals.hour IS 'Beginning of the hour in which they were counted, UTC.';
COMMENT ON COLUMN directory.refusals.reason IS 'Why: missing, malformed, wrong, stale (the signature); not-an-event, media-type, other-event, no-plain-token, no-secret, too-large (the request); validation (a URL validation was refused); dropped-signed, dropped-unsigned (the quarantine had no room).';
COMMENT ON COLUMN directory.refusals.refused IS 'How many.';
COMMENT ON COLUMN directory.refusals.first_at IS 'When the first of them came.';
COMMENT ON COLUMN directory.refusals.last_at IS 'When the last of them came.';

GRANT SELECT ON directory.refusals TO directory_reader;
