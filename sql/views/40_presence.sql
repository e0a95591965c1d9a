-- Presence and personal notes: one row for whoever either kind of event named. Users first, then people whom
-- `users` does not know: each branch shows the user id of one table, so that a condition on it uses that table's
-- index.

CREATE OR REPLACE VIEW directory.presence AS
SELECT
    u.account_id,
    u.user_id,
    coalesce(u.email, CASE
        WHEN greatest(p.email_order, n.email_order) <= u.cutoff THEN NULL
        WHEN n.email_order > p.email_order OR p.email_order IS NULL THEN n.email
        ELSE p.email
    END) AS email,
    p.presence_status,
    p.app_type,
    p.app_presence_status,
    state.time_of(p.folded) AS changed_at,
    n.note AS personal_note,
    state.time_of(n.note_order) AS personal_note_changed_at,
    state.time_of(greatest(p.folded, n.note_order)) AS last_event_at,
    CASE
        WHEN n.note_order > p.folded OR p.folded IS NULL THEN n.last_position ELSE p.last_position
    END AS last_position
FROM state.people u
LEFT JOIN state.presence p
    ON p.account_id = u.account_id AND p.user_key = u.user_key AND p.folded > u.cutoff
LEFT JOIN state.notes n
    ON n.account_id = u.account_id AND n.user_key = u.user_key AND n.note_order > u.cutoff
WHERE NOT u.removed AND (p.user_key IS NOT NULL OR n.user_key IS NOT NULL)
UNION ALL
SELECT
    p.account_id,
    p.user_id,
    CASE WHEN n.email_order > p.email_order THEN n.email ELSE p.email END,
    p.presence_status,
    p.app_type,
    p.app_presence_status,
    state.time_of(p.folded),
    n.note,
    state.time_of(n.note_order),
    state.time_of(p.folded),
    p.last_position
FROM state.presence p
LEFT JOIN state.notes n
    ON n.account_id = p.account_id AND n.user_key = p.user_key AND n.note_order IS NOT NULL
WHERE (n.note_order IS NULL OR n.note_order < p.folded)
  AND NOT EXISTS (SELECT FROM state.people u
                  WHERE u.account_id = p.account_id AND u.user_key = p.user_key)
UNION ALL
SELECT
    n.account_id,
    n.user_id,
    CASE WHEN p.email_order > n.email_order THEN p.email ELSE n.email END,
    p.presence_status,
    p.app_type,
    p.app_presence_status,
    state.time_of(p.folded),
    n.note,
    state.time_of(n.note_order),
    state.time_of(n.note_order),
    n.last_position
FROM state.notes n
LEFT JOIN state.presence p ON p.account_id = n.account_id AND p.user_key = n.user_key
WHERE n.note_order IS NOT NULL
  AND (p.folded IS NULL OR p.folded < n.note_order)
  AND NOT EXISTS (SELECT FROM state.people u
                  WHERE u.account_id = n.account_id AND u.user_key = n.user_key);

COMMENT ON VIEW directory.presence IS
    'What people are doing now, and the note they show: one row for whoever a presence or note event named, removed users excepted.';
COMMENT ON COLUMN directory.presence.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.presence.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';
COMMENT ON COLUMN directory.presence.email IS 'The person''s current e-mail in users; where none is known there, the newest that this row''s own events named.';
COMMENT ON COLUMN directory.presence.presence_status IS 'Overall status as Zoom names it (Available, Away, In_Meeting and so on); null where only a note is known.';
COMMENT ON COLUMN directory.presence.app_type IS 'Kind of application that reported (desktop, mobile and so on); null where the newest event named none.';
COMMENT ON COLUMN directory.presence.app_presence_status IS 'Status in that application; it may differ from presence_status.';
COMMENT ON COLUMN directory.presence.changed_at IS 'Time of the newest presence event.';
COMMENT ON COLUMN directory.presence.personal_note IS 'The note; null where none is known or it was cleared.';
COMMENT ON COLUMN directory.presence.personal_note_changed_at IS 'Time of the newest note event.';
COMMENT ON COLUMN directory.presence.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.presence.last_position IS 'Position in the log of that event.';

GRANT SELECT ON directory.presence TO directory_reader;
