-- needs: users 3
-- needs: groups 3
-- needs: memberships 3
-- needs: group_admins 3
-- needs: sign_ins 2
-- needs: declarations 1
-- Every version of the rows from which the views of `directory` are made, under the same names of columns. A row
-- counted from the event of `folded` on, until that of `until`. Not part of the interface: readers have a right to
-- them so that functions can read them for readers, and none to the schema, so they cannot name them.

-- A bound between the events up to a moment and those after it, in event order.
CREATE OR REPLACE FUNCTION state.bound(t timestamptz) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN t = 'infinity' THEN '\xff'::bytea
        WHEN t < 'epoch' THEN ''::bytea
        ELSE int8send(floor(extract(epoch FROM t) * 1000)::bigint + 1)
    END;
END;
GRANT EXECUTE ON FUNCTION state.bound TO PUBLIC;

CREATE OR REPLACE VIEW state.past_users AS
SELECT
    v.account_id,
    v.user_key,
    v.folded,
    v.until,
    v.last_position,
    v.user_id,
    v.status,
    v.pending_order,
    v.profile,
    v.custom_attributes,
    v.creation_type,
    v.created_ms,
    v.removed,
    v.removed_ms,
    v.cutoff,
    v.observed_created_ms,
    v.profile ->> 'email' AS email,
    v.last_position > 0 AS known
FROM state.user_versions v;

CREATE OR REPLACE VIEW state.past_removed_emails AS
SELECT v.account_id, v.email_key, v.folded, v.until, v.folded AS cutoff
FROM state.removed_email_versions v;

CREATE OR REPLACE VIEW state.past_sign_ins AS
SELECT m.account_id, m.user_key, m.folded, '\xff'::bytea AS until, m.folded AS signed_in_order
FROM state.sign_in_moments m WHERE m.signed_in;

CREATE OR REPLACE VIEW state.past_groups AS
SELECT
    v.account_id,
    v.group_id,
    v.folded,
    v.until,
    v.last_position,
    v.profile,
    v.created_ms,
    v.removed,
    v.removed_ms,
    v.cutoff
FROM state.group_versions v;

CREATE OR REPLACE VIEW state.past_observed_groups AS
SELECT v.account_id, v.person_key, v.folded, v.until, v.mark, v.groups, v.lacked, v.dropped
FROM state.observed_group_versions v;

CREATE OR REPLACE VIEW state.past_declared_models AS
SELECT v.account_id, v.folded, v.until, v.last_position, v.model, v.by
FROM state.declared_model_versions v;

CREATE OR REPLACE VIEW state.past_declared_rankings AS
SELECT v.account_id, v.folded, v.until, v.last_position, v.groups, v.by
FROM state.declared_ranking_versions v;

CREATE OR REPLACE VIEW state.past_declared_primary_groups AS
SELECT v.account_id, v.user_key, v.folded, v.until, v.last_position, v.user_id, v.group_id, v.by
FROM state.declared_primary_group_versions v;

GRANT SELECT ON state.past_users, state.past_removed_emails, state.past_sign_ins, state.past_groups,
    state.past_observed_groups, state.past_declared_models, state.past_declared_rankings,
    state.past_declared_primary_groups TO directory_reader;
