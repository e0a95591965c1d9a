-- Deliveries as jsonb, for whoever may read the log. Not part of the interface: readers of `directory` have no
-- right to it.

CREATE OR REPLACE VIEW log.deliveries AS
SELECT
    e.position,
    e.received_at,
    e.event,
    e.event_ts,
    e.account_id,
    e.request_id,
    e.digest,
    e.source,
    e.verified_by,
    log.as_jsonb(e.body) AS body
FROM log.events e;

COMMENT ON VIEW log.deliveries IS
    'The log with bodies as jsonb; null where they are erased or hold what jsonb cannot (U+0000, lone surrogates). Bodies hold secrets.';
COMMENT ON COLUMN log.deliveries.position IS 'Place in the log.';
COMMENT ON COLUMN log.deliveries.received_at IS 'When the ingress received the delivery.';
COMMENT ON COLUMN log.deliveries.event IS 'Name of the event as sent.';
COMMENT ON COLUMN log.deliveries.event_ts IS 'The delivery''s own event_ts, epoch milliseconds, where it is an integer.';
COMMENT ON COLUMN log.deliveries.account_id IS 'payload.account_id as sent.';
COMMENT ON COLUMN log.deliveries.request_id IS 'x-zm-request-id: equal over the retries of one delivery.';
COMMENT ON COLUMN log.deliveries.digest IS 'SHA-256 of the body''s bytes.';
COMMENT ON COLUMN log.deliveries.source IS 'How it came: webhook, import, quarantine, recovered; or a fact of our own: rest, declared, operator.';
COMMENT ON COLUMN log.deliveries.verified_by IS 'Fingerprint of the secret that verified the delivery.';
COMMENT ON COLUMN log.deliveries.body IS 'The delivery as jsonb.';
