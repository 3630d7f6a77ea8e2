-- The one exchange. Every statement but the first runs under the worker's lock; none grows with the number of handles.
-- Where a list of the worker's meets a table, the list leads and each element is looked up by the unique index, in a subquery that no
-- planner can turn round: SQLite keeps no statistics, PostgreSQL's are old when a worker's rows are new, and both would read the whole
-- list once a row, or all rows of the worker for a list of one. What else must hold of the row is asked in the CASE, out of their sight.

-- fragment: row_of_each
resources r WHERE r.worker_id = $1 AND r.kind = CAST(each.value ->> 'kind' AS INTEGER) AND r.handle = each.value ->> 'handle'

-- fragment: row_of_each_handle
resources r WHERE r.worker_id = $1 AND r.kind = $2 AND r.handle = each.value

-- The whole sync of a worker with nothing new, as one guarded statement: session, inventories and marks are just what they were, and
-- nothing waits to be destroyed. Whatever is otherwise, no row matches and the sync goes the long way.
-- $1 key, $2 name, $3 session, $4 incarnation, $5 started, $6 sequence, $7 as_of, $8 now, $9 wall,
-- $10..$13 containers: in the frame (0 or 1), base, count, digest; $14..$17 volumes; $18 malformed, $19 and $20 disk; $21 a `same` frame (0 or 1),
-- $22, $23, $24 the answer that it received last: lineage, session, sequence; $25 unlisted
-- statement: sync_nothing_new
UPDATE workers SET
  sequence = CAST($6 AS BIGINT), synced = CAST($8 AS BIGINT), synced_wall = CAST($9 AS BIGINT),
  container_base = CASE WHEN CAST($10 AS INTEGER) = 1 THEN CAST($6 AS BIGINT) ELSE container_base END,
  volume_base = CASE WHEN CAST($14 AS INTEGER) = 1 THEN CAST($6 AS BIGINT) ELSE volume_base END,
  disk_total = COALESCE(CAST($19 AS BIGINT), disk_total), disk_used = COALESCE(CAST($20 AS BIGINT), disk_used)
WHERE id = COALESCE((SELECT k.worker_id FROM worker_keys k WHERE k.key = $1), (SELECT n.id FROM workers n WHERE n.name = $2))
  AND state = 'running' AND session = $3 AND incarnation = $4 AND started = CAST($5 AS BIGINT) AND sequence < CAST($6 AS BIGINT)
  AND change = CAST($7 AS BIGINT) AND malformed = $18 AND unlisted = $25 AND anew = 0
  AND (CAST($22 AS TEXT) IS NULL
    OR (CAST($22 AS TEXT) = (SELECT value FROM meta WHERE key = 'lineage') AND CAST($23 AS TEXT) = session AND CAST($24 AS BIGINT) <= sequence))
  AND (CAST($10 AS INTEGER) = 0 OR (container_judged = change AND container_base = CAST($11 AS BIGINT)
       AND container_count = CAST($12 AS BIGINT) AND container_digest = $13))
  AND (CAST($14 AS INTEGER) = 0 OR (volume_judged = change AND volume_base = CAST($15 AS BIGINT)
       AND volume_count = CAST($16 AS BIGINT) AND volume_digest = $17))
  AND (CAST($21 AS INTEGER) = 0 OR ((container_base IS NULL OR container_judged = change) AND (volume_base IS NULL OR volume_judged = change)))
  AND NOT EXISTS (SELECT 1 FROM resources r WHERE r.worker_id = workers.id AND r.state = 'destroying')
RETURNING name, change, (SELECT value FROM meta WHERE key = 'lineage')

-- What the long way needs to know before it admits a sync. $1 worker, its name; of the sync: $2 session, $3 incarnation, $4 answered
-- lineage, $5 answered session. An answer is looked up among the sessions of all workers: one that was enrolled under another name has
-- not been forgotten.
-- statement: sync_facts
SELECT (SELECT value FROM meta WHERE key = 'lineage'),
       (SELECT value FROM meta WHERE key = 'frozen'),
       CASE WHEN EXISTS (SELECT 1 FROM replaced_lineages l WHERE l.lineage = $4) THEN 1 ELSE 0 END,
       (SELECT MAX(s.sequence) FROM sessions s WHERE s.session = $5),
       CASE WHEN EXISTS (SELECT 1 FROM sessions s WHERE s.session = $2 AND s.worker = $1) THEN 1 ELSE 0 END,
       CASE WHEN EXISTS (SELECT 1 FROM sessions s WHERE s.worker = $1 AND s.incarnation = $3) THEN 1 ELSE 0 END

-- statement: replaced_lineages
SELECT lineage FROM replaced_lineages ORDER BY id DESC LIMIT $1

-- statement: session_open
INSERT INTO sessions (worker, session, incarnation) VALUES ($1, $2, $3)

-- statement: session_close
UPDATE sessions SET sequence = CAST($3 AS BIGINT) WHERE worker = $1 AND session = $2

-- Of the latest hundred none goes; nor one that the worker may still quote ($2), unless there are a thousand newer ones.
-- statement: sessions_trim
DELETE FROM sessions
WHERE worker = $1
  AND ((id < (SELECT s.id FROM sessions s WHERE s.worker = $1 AND s.session = $2)
        AND id <= (SELECT s.id FROM sessions s WHERE s.worker = $1 ORDER BY s.id DESC LIMIT 1 OFFSET 100))
    OR id <= (SELECT s.id FROM sessions s WHERE s.worker = $1 ORDER BY s.id DESC LIMIT 1 OFFSET 1000))

-- $2 boot id or null
-- statement: worker_open_session
UPDATE workers SET boot = COALESCE(CAST($2 AS TEXT), boot), session_accepted = 0 WHERE id = $1

-- Its rows are of an earlier life, and what it has beside them meets the operator's word on strangers ($2), as at first contact.
-- statement: worker_new_incarnation
UPDATE workers SET existing = $2, container_former = change, volume_former = change, held_incarnation = NULL, accepted_incarnation = NULL,
  container_brake = NULL, container_brake_lifted = 0, volume_brake = NULL, volume_brake_lifted = 0
WHERE id = $1

-- No container of an earlier boot runs any more.
-- statement: worker_new_boot
UPDATE workers SET container_former = change WHERE id = $1

-- A worker's new session: what the former one left in hand is in nobody's hand, its locks are ours; its inventories are no base.
-- statement: sync_new_session
UPDATE resources SET in_hand = 0, in_hand_since = NULL, stuck = 0 WHERE worker_id = $1 AND in_hand = 1

-- A result counts only for a row whose mark as_of covers: a resent acknowledgement must not forget the handle's next bearer.
-- $2 as_of, $3 [{kind, handle}] acknowledged, without those in hand
-- statement: sync_acknowledged
DELETE FROM resources
WHERE id @in(SELECT (SELECT CASE WHEN r.state = 'destroying' AND r.mark <= CAST($2 AS BIGINT) THEN r.id END FROM @{row_of_each}) FROM @each($3))
RETURNING kind, handle, present, reason, entered

-- What was acknowledged and is still in the acknowledged inventory stays known as such: should it never leave, it is unknown.
-- $2 change, $3 [{kind, handle}]
-- statement: sync_leftovers
INSERT INTO unknowns (worker_id, kind, handle, change)
SELECT CAST($1 AS BIGINT), CAST(each.value ->> 'kind' AS INTEGER), each.value ->> 'handle', CAST($2 AS BIGINT) FROM @each($3)
WHERE 1 = 1
ON CONFLICT (worker_id, kind, handle) DO UPDATE SET change = excluded.change, since = NULL

-- A failed destroy comes again after 1 s, doubling to 5 min. $2 as_of, $3 now, $4 [{kind, handle, error, stuck}]
-- statement: sync_failed
WITH f AS MATERIALIZED (
  SELECT (SELECT CASE WHEN r.state = 'destroying' AND r.mark <= CAST($2 AS BIGINT) THEN r.id END FROM @{row_of_each}) AS id,
         each.value ->> 'error' AS error, CAST(each.value ->> 'stuck' AS INTEGER) AS stuck
  FROM @each($4)
)
UPDATE resources SET
  attempts = attempts + 1 - f.stuck,
  stuck = f.stuck,
  last_error = f.error,
  retry_at = CAST($3 AS BIGINT) + CASE WHEN attempts >= 9 THEN 300000 ELSE 1000 * (1 << CAST(attempts AS INTEGER)) END
FROM f WHERE resources.id = f.id
RETURNING resources.kind, resources.handle, resources.attempts, resources.last_error, resources.stuck

-- $2 [{kind, handle}] in hand
-- statement: sync_out_of_hand
UPDATE resources SET in_hand = 0, in_hand_since = NULL, stuck = 0
WHERE worker_id = $1 AND in_hand = 1 AND id NOT IN (SELECT COALESCE((SELECT r.id FROM @{row_of_each}), 0) FROM @each($2))

-- $3 now
-- statement: sync_into_hand
UPDATE resources SET in_hand = 1, in_hand_since = CAST($3 AS BIGINT)
WHERE id @in(SELECT (SELECT CASE WHEN r.in_hand = 0 THEN r.id END FROM @{row_of_each}) FROM @each($2))

-- The set that the server holds of a kind: rows that were present, and unknowns.
-- statement: inventory_read
SELECT handle FROM resources WHERE worker_id = $1 AND kind = $2 AND present = 1
UNION ALL
SELECT handle FROM unknowns WHERE worker_id = $1 AND kind = $2

-- $3 handles
-- statement: inventory_appeared
UPDATE resources SET present = 1, missing_since = NULL, missing_wall = NULL
WHERE id @in(SELECT (SELECT CASE WHEN r.present = 0 THEN r.id END FROM @{row_of_each_handle}) FROM @each_text($3))

-- $4 the high-water mark now, $5 held, $6 agreed
-- statement: inventory_appeared_unknown
INSERT INTO unknowns (worker_id, kind, handle, change, held, agreed)
SELECT CAST($1 AS BIGINT), CAST($2 AS INTEGER), each.value, CAST($4 AS BIGINT), CAST($5 AS INTEGER), CAST($6 AS INTEGER) FROM @each_text($3)
WHERE (SELECT r.id FROM @{row_of_each_handle}) IS NULL
ON CONFLICT (worker_id, kind, handle) DO NOTHING
RETURNING handle

-- statement: inventory_vanished
UPDATE resources SET present = 0
WHERE id @in(SELECT (SELECT CASE WHEN r.present = 1 THEN r.id END FROM @{row_of_each_handle}) FROM @each_text($3))

-- statement: inventory_vanished_unknown
DELETE FROM unknowns
WHERE id @in(SELECT (SELECT u.id FROM unknowns u WHERE u.worker_id = $1 AND u.kind = $2 AND u.handle = each.value) FROM @each_text($3))

-- Handles under two roots ($2: [{kind, handle}]) are in no inventory, and yet there.
-- statement: inventory_unambiguous
UPDATE resources SET ambiguous = 0 WHERE worker_id = $1 AND ambiguous = 1

-- statement: inventory_ambiguous
UPDATE resources SET ambiguous = 1 WHERE id @in(SELECT (SELECT r.id FROM @{row_of_each}) FROM @each($2))

-- What a judgement at as_of ($3) would do: rows that would become missing, those of an earlier life ($4) apart; things that would begin
-- their unknown grace. How many rows there are in all is counted only where one of the two is above the brake's minimum ($5).
-- statement: judge_impact
WITH n AS MATERIALIZED (
  SELECT (SELECT COUNT(*) FROM resources r
          WHERE r.worker_id = $1 AND r.kind = $2 AND r.present = 0 AND r.change <= CAST($3 AS BIGINT) AND r.change > CAST($4 AS BIGINT)
            AND r.state = 'created' AND r.missing_since IS NULL AND r.ambiguous = 0) AS missing,
         (SELECT COUNT(*) FROM unknowns u
          WHERE u.worker_id = $1 AND u.kind = $2 AND u.since IS NULL AND u.change <= CAST($3 AS BIGINT) AND u.held = 0 AND u.agreed = 0) AS strangers
)
SELECT n.missing, n.strangers,
       CASE WHEN n.missing > CAST($5 AS BIGINT) OR n.strangers > CAST($5 AS BIGINT)
         THEN (SELECT COUNT(*) FROM resources r WHERE r.worker_id = $1 AND r.kind = $2 AND r.state = 'created') ELSE 0 END
FROM n

-- Judgement at as_of ($3): rows that changed later are left alone.
-- statement: judge_missing
UPDATE resources SET missing_since = CAST($4 AS BIGINT), missing_wall = CAST($5 AS BIGINT)
WHERE worker_id = $1 AND kind = $2 AND present = 0 AND change <= CAST($3 AS BIGINT) AND state = 'created' AND missing_since IS NULL
  AND ambiguous = 0
RETURNING handle

-- Absent, the mark is covered, and no order is in hand: evidence enough to forget.
-- statement: judge_gone
DELETE FROM resources
WHERE worker_id = $1 AND kind = $2 AND present = 0 AND change <= CAST($3 AS BIGINT) AND state = 'destroying'
  AND mark <= CAST($3 AS BIGINT) AND in_hand = 0 AND ambiguous = 0
RETURNING handle, reason, entered

-- statement: judge_unknown
UPDATE unknowns SET since = CAST($4 AS BIGINT)
WHERE worker_id = $1 AND kind = $2 AND since IS NULL AND change <= CAST($3 AS BIGINT)

-- The next orders, oldest mark first: never one in hand, never one before its backoff, and only what no other row hangs on.
-- $3 now, $4 how many
-- statement: orders_next
SELECT r.handle FROM resources r
WHERE r.worker_id = $1 AND r.kind = $2 AND r.state = 'destroying' AND r.in_hand = 0 AND r.ambiguous = 0
  AND r.retry_at <= CAST($3 AS BIGINT)
  AND NOT EXISTS (SELECT 1 FROM resources k WHERE k.container_id = r.id)
  AND NOT EXISTS (SELECT 1 FROM resources k WHERE k.parent_id = r.id)
ORDER BY r.mark, r.id LIMIT $4

-- statement: orders_next_retry
SELECT MIN(retry_at) FROM resources
WHERE worker_id = $1 AND state = 'destroying' AND in_hand = 0 AND retry_at > 0 AND retry_at > CAST($2 AS BIGINT)

-- statement: sync_store
UPDATE workers SET
  incarnation = $2, session = $3, started = $4, sequence = $5, synced = $6, synced_wall = $7, change = $8,
  container_base = $9, container_count = $10, container_digest = $11, container_judged = $12,
  volume_base = $13, volume_count = $14, volume_digest = $15, volume_judged = $16, malformed = $17,
  disk_total = COALESCE(CAST($18 AS BIGINT), disk_total), disk_used = COALESCE(CAST($19 AS BIGINT), disk_used),
  destroyed = destroyed + CAST($20 AS BIGINT), unknown = unknown + CAST($21 AS BIGINT), unlisted = $22,
  adopted = adopted + CAST($23 AS BIGINT), lost = lost + CAST($24 AS BIGINT),
  container_brake = $25, container_brake_lifted = $26, volume_brake = $27, volume_brake_lifted = $28, anew = 0
WHERE id = $1

-- statement: unknown_find
SELECT since, held FROM unknowns WHERE worker_id = $1 AND kind = $2 AND handle = $3
