-- How far to trust the rest: what could not be folded, and when each event last came.

-- All dead letters, with the digest in hex of the event, and the newest dismissal where there is one. Not part of
-- the interface. The event is looked up by its position, a row at a time: no plan reads the log.
CREATE OR REPLACE VIEW state.judged_dead_letters AS
SELECT f.*, x.folded AS dismissed, x.dismissed_by, x.reason
FROM (
    SELECT
        d.position,
        d.projection,
        d.event,
        d.error,
        d.failed_at,
        (SELECT encode(e.digest, 'hex') FROM log.events e WHERE e.position = d.position) AS digest
    FROM state.dead_letters d
) f
LEFT JOIN state.dismissed_dead_letters x ON x.digest = f.digest AND x.projection = f.projection;

-- Of one table, so that whoever tries to change it is told that they may not.
CREATE OR REPLACE VIEW directory.dead_letters AS
SELECT d.position, d.projection, d.event, d.error, d.failed_at
FROM state.dead_letters d
WHERE NOT EXISTS (
    SELECT FROM state.judged_dead_letters j
    WHERE j.position = d.position AND j.projection = d.projection AND j.dismissed IS NOT NULL);

COMMENT ON VIEW directory.dead_letters IS
    'Events that a projection could not fold and that nobody dismissed: one row an event and projection. Everything else of the log is folded all the same.';
COMMENT ON COLUMN directory.dead_letters.position IS 'Position in the log of the event.';
COMMENT ON COLUMN directory.dead_letters.projection IS 'The projection that left it out.';
COMMENT ON COLUMN directory.dead_letters.event IS 'Name of the event.';
COMMENT ON COLUMN directory.dead_letters.error IS 'What is wrong with it; quotes nothing of its content.';
COMMENT ON COLUMN directory.dead_letters.failed_at IS 'When folding failed, by the clock of the database.';

CREATE OR REPLACE VIEW directory.dismissed_dead_letters AS
SELECT
    d.position,
    d.projection,
    d.event,
    d.error,
    d.failed_at,
    state.time_of(d.dismissed) AS dismissed_at,
    d.dismissed_by,
    d.reason
FROM state.judged_dead_letters d
WHERE d.dismissed IS NOT NULL;

COMMENT ON VIEW directory.dismissed_dead_letters IS
    'Events that a projection could not fold and that somebody dismissed: they are not in dead_letters.';
COMMENT ON COLUMN directory.dismissed_dead_letters.position IS 'Position in the log of the event.';
COMMENT ON COLUMN directory.dismissed_dead_letters.projection IS 'The projection that left it out.';
COMMENT ON COLUMN directory.dismissed_dead_letters.event IS 'Name of the event.';
COMMENT ON COLUMN directory.dismissed_dead_letters.error IS 'What is wrong with it; quotes nothing of its content.';
COMMENT ON COLUMN directory.dismissed_dead_letters.failed_at IS 'When folding failed, by the clock of the database.';
COMMENT ON COLUMN directory.dismissed_dead_letters.dismissed_at IS 'When it was dismissed, the last time.';
COMMENT ON COLUMN directory.dismissed_dead_letters.dismissed_by IS 'Who did so.';
COMMENT ON COLUMN directory.dismissed_dead_letters.reason IS 'Why, in their words.';

CREATE OR REPLACE VIEW directory.freshness AS
SELECT
    a.account_id,
    e.event,
    state.at(f.last_event_ms) AS last_event_at,
    to_timestamp(f.last_received_us / 1000000.0::float8) AS last_received_at,
    coalesce(f.events, 0) AS events
FROM (SELECT account_id FROM state.freshness UNION SELECT account_id FROM state.coverage) a
CROSS JOIN (
    VALUES
        ('user.created'),
        ('user.invitation_accepted'),
        ('user.activated'),
        ('user.updated'),
        ('user.settings_updated'),
        ('user.presence_status_updated'),
        ('user.personal_notes_updated'),
        ('user.signed_in'),
        ('user.signed_out'),
        ('user.deactivated'),
        ('user.disassociated'),
        ('user.deleted'),
        ('group.created'),
        ('group.updated'),
        ('group.settings_updated'),
        ('group.lock_settings_updated'),
        ('group.member_added'),
        ('group.member_deleted'),
        ('group.admin_added'),
        ('group.admin_deleted'),
        ('group.deleted')
) e (event)
LEFT JOIN state.freshness f ON f.account_id = a.account_id AND f.event = e.event;

COMMENT ON VIEW directory.freshness IS
    'When each event last came, by account: one row for every event of Zoom''s reference. Silence is the commonest failure of webhooks: where a usual event stays away, check the subscription in Zoom.';
COMMENT ON COLUMN directory.freshness.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.freshness.event IS 'Name of the event.';
COMMENT ON COLUMN directory.freshness.last_event_at IS 'Greatest event time; null where it never came.';
COMMENT ON COLUMN directory.freshness.last_received_at IS 'Greatest time of receipt; null where it never came.';
COMMENT ON COLUMN directory.freshness.events IS 'Number of distinct events folded so far.';

CREATE OR REPLACE VIEW directory.observation AS
SELECT f.account_id, to_timestamp(min(f.first_received_us) / 1000000.0::float8) AS since
FROM state.freshness f
GROUP BY f.account_id;

COMMENT ON VIEW directory.observation IS
    'Since when each account is observed. What happened before is known only as far as later events repeat it: that somebody has no sign-in means little while this time is recent.';
COMMENT ON COLUMN directory.observation.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.observation.since IS 'Time of receipt of the first event of the account.';

CREATE OR REPLACE VIEW directory.coverage AS
SELECT
    c.account_id,
    c.section,
    CASE WHEN c.complete_order <> '' THEN state.time_of(c.complete_order) END AS complete_at,
    c.read,
    c.repaired,
    c.unreadable,
    c.new,
    c.gone,
    state.time_of(c.folded) AS last_event_at,
    c.last_position
FROM state.coverage c;

COMMENT ON VIEW directory.coverage IS
    'What was read from Zoom''s REST API, by account and section: who was there before the first delivery, and what was lost, is known as of complete_at. No row: never read.';
COMMENT ON COLUMN directory.coverage.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.coverage.section IS 'deliveries (Zoom''s log of failed deliveries), groups, users or settings.';
COMMENT ON COLUMN directory.coverage.complete_at IS 'When the newest complete reading began, by Zoom''s clock; null where none was complete.';
COMMENT ON COLUMN directory.coverage.read IS 'How many entities the newest reading read.';
COMMENT ON COLUMN directory.coverage.repaired IS 'How many of them were in the directory and differed.';
COMMENT ON COLUMN directory.coverage.unreadable IS 'What could not be read, and why, such as a missing scope; null where nothing.';
COMMENT ON COLUMN directory.coverage.new IS 'How many of them the directory did not have.';
COMMENT ON COLUMN directory.coverage.gone IS 'How many the directory had and Zoom has no more.';
COMMENT ON COLUMN directory.coverage.last_event_at IS 'When the newest reading began.';
COMMENT ON COLUMN directory.coverage.last_position IS 'Position in the log of its record.';

GRANT SELECT ON directory.dead_letters, directory.dismissed_dead_letters, directory.freshness, directory.observation,
    directory.coverage TO directory_reader;
