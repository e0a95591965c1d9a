-- Sign-ins. A sign-out from all devices is one mark a user: it stands above every older row. Users first,
-- then people whom `users` does not know.

CREATE OR REPLACE VIEW directory.sign_ins AS
SELECT
    s.account_id,
    u.user_id AS user_id,
    s.client_type,
    coalesce(u.email, CASE WHEN s.email_order > u.cutoff THEN s.email END) AS email,
    s.signed_in AND m.folded IS NULL AS signed_in,
    s.login_type::int AS login_type,
    s.version,
    state.time_of(coalesce(m.folded, s.folded)) AS changed_at,
    state.time_of(coalesce(m.folded, s.folded)) AS last_event_at,
    coalesce(m.last_position, s.last_position) AS last_position
FROM state.people u
JOIN state.sign_ins s
    ON s.account_id = u.account_id AND s.user_key = u.user_key AND s.folded > u.cutoff
LEFT JOIN state.sign_out_marks m
    ON m.account_id = s.account_id AND m.user_key = s.user_key AND m.folded > s.folded
WHERE NOT u.removed
UNION ALL
SELECT
    s.account_id,
    s.user_id,
    s.client_type,
    s.email,
    s.signed_in AND m.folded IS NULL,
    s.login_type::int,
    s.version,
    state.time_of(coalesce(m.folded, s.folded)),
    state.time_of(coalesce(m.folded, s.folded)),
    coalesce(m.last_position, s.last_position)
FROM state.sign_ins s
LEFT JOIN state.sign_out_marks m
    ON m.account_id = s.account_id AND m.user_key = s.user_key AND m.folded > s.folded
WHERE NOT EXISTS (SELECT FROM state.people u
                  WHERE u.account_id = s.account_id AND u.user_key = s.user_key);

COMMENT ON VIEW directory.sign_ins IS
    'The newest sign-in or sign-out of each person on each kind of client, removed users excepted.';
COMMENT ON COLUMN directory.sign_ins.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.sign_ins.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';
COMMENT ON COLUMN directory.sign_ins.client_type IS 'Kind of client as Zoom names it (win, mac, iphone and so on), or unknown.';
COMMENT ON COLUMN directory.sign_ins.email IS 'The person''s current e-mail in users; where none is known there, the newest that this row''s own events named.';
COMMENT ON COLUMN directory.sign_ins.signed_in IS 'Whether the person is signed in there, as far as events tell: sessions that end by themselves send none.';
COMMENT ON COLUMN directory.sign_ins.login_type IS 'How the person signed in, in Zoom''s code: 0 Facebook, 1 Google, 11 Microsoft 365, 24 Apple, 97 mobile device, 98 RingCentral, 99 API, 100 Zoom, 101 single sign-on; other codes may come.';
COMMENT ON COLUMN directory.sign_ins.version IS 'Version of the client, as it reports it.';
COMMENT ON COLUMN directory.sign_ins.changed_at IS 'Time of that sign-in or sign-out.';
COMMENT ON COLUMN directory.sign_ins.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.sign_ins.last_position IS 'Position in the log of that event.';

GRANT SELECT ON directory.sign_ins TO directory_reader;
