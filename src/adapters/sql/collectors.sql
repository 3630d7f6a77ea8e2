-- The collectors. Each has one definition of its candidates; the pass, the guarded update and explain use that one.
-- Statements here begin with $1 = now and $2 = trusted_from: no clock that began before trusted_from has run out.

-- A container is an orphan if and only if it is created, has no live owner, no pin, and was not touched within the touch grace ($3).
-- A volume is an orphan under the same condition, and if no row of its container and no child volume remains that is not itself on
-- its way out. (The order of destruction is kept by orders_next: nothing goes out before what hangs on it is gone.)
-- Columns: live_owner, pinned, touched, held_by_container, held_by_child, orphan.
-- fragment: orphan_facts
r.id, r.state, r.touched, r.owner_id,
  COALESCE((SELECT CASE WHEN @{owner_is_live} THEN 1 ELSE 0 END FROM owners o WHERE o.id = r.owner_id), 0) AS live_owner,
  CASE WHEN @{is_pinned} THEN 1 ELSE 0 END AS pinned,
  CASE WHEN @{is_touched} THEN 1 ELSE 0 END AS was_touched,
  (SELECT c.handle FROM resources c WHERE c.id = r.container_id AND c.state <> 'destroying') AS held_by_container,
  (SELECT MIN(k.handle) FROM resources k WHERE k.parent_id = r.id AND k.state <> 'destroying') AS held_by_child

-- fragment: is_pinned
(r.pinned IS NOT NULL AND (r.pin_ttl_ms IS NULL OR r.pinned + r.pin_ttl_ms > CAST($1 AS BIGINT) OR r.pinned < CAST($2 AS BIGINT)))

-- fragment: is_touched
(r.touched IS NOT NULL AND CAST($3 AS BIGINT) > 0
  AND (r.touched + CAST($3 AS BIGINT) > CAST($1 AS BIGINT) OR r.touched < CAST($2 AS BIGINT)))

-- A CASE, because PostgreSQL takes conditions it knows nothing of for rarely true, and then reads everything before the first row.
-- fragment: is_orphan
(CASE WHEN f.state = 'created' AND f.live_owner = 0 AND f.pinned = 0 AND f.was_touched = 0 AND f.held_by_container IS NULL
  AND f.held_by_child IS NULL THEN TRUE ELSE FALSE END)

-- Owners that ended: released ones that may still have something, and those whose lease ran out and that nobody released yet. (The
-- casts are those of the indexes.)
-- fragment: ended_owners
SELECT o.id FROM owners o WHERE o.released IS NOT NULL AND o.settled = 0 AND CAST(o.released + o.keep_ms AS BIGINT) <= CAST($1 AS BIGINT)
UNION ALL
SELECT o.id FROM owners o WHERE o.released IS NULL AND o.ttl_ms IS NOT NULL AND CAST(o.renewed + o.ttl_ms AS BIGINT) <= CAST($1 AS BIGINT)

-- Where orphans of a worker ($4) can be: resources of owners that ended, those with neither owner nor container, volumes of containers
-- that are on their way out. Every orphan is among them, once; what else is among them is_orphan refuses. CROSS JOIN: what is few leads.
-- fragment: orphan_places
SELECT r.id FROM (@{ended_owners}) e CROSS JOIN resources r
  WHERE r.owner_id = e.id AND r.worker_id = $4 AND r.state = 'created'
UNION ALL
SELECT r.id FROM resources r WHERE r.worker_id = $4 AND r.state = 'created' AND r.owner_id IS NULL AND r.container_id IS NULL
UNION ALL
SELECT r.id FROM resources c CROSS JOIN resources r
  WHERE c.worker_id = $4 AND c.kind = 0 AND c.state = 'destroying'
    AND r.container_id = c.id AND r.state = 'created' AND r.owner_id IS NULL

-- fragment: orphan_candidates
(SELECT @{orphan_facts} FROM (@{orphan_places}) p CROSS JOIN resources r WHERE r.id = p.id) f

-- Workers on which there is such a place, without a look at the rows: from one (owner, worker) to the next by index, however many
-- rows there are of each. $1 now, $2 worker id to begin after, $3 how many
-- statement: orphan_workers
WITH RECURSIVE owned (owner_id, worker_id) AS (
  SELECT e.id, (SELECT MIN(r.worker_id) FROM resources r WHERE r.owner_id = e.id AND r.state = 'created' AND r.worker_id > CAST($2 AS BIGINT))
  FROM (@{ended_owners}) e
  UNION ALL
  SELECT h.owner_id,
         (SELECT MIN(r.worker_id) FROM resources r WHERE r.owner_id = h.owner_id AND r.state = 'created' AND r.worker_id > h.worker_id)
  FROM owned h WHERE h.worker_id IS NOT NULL
)
SELECT w.id FROM workers w
WHERE w.id > CAST($2 AS BIGINT)
  AND (w.id IN (SELECT h.worker_id FROM owned h WHERE h.worker_id IS NOT NULL)
    OR EXISTS (SELECT 1 FROM resources r WHERE r.worker_id = w.id AND r.state = 'created' AND r.owner_id IS NULL AND r.container_id IS NULL)
    OR w.id IN (SELECT r.worker_id FROM resources c CROSS JOIN resources r
                WHERE c.kind = 0 AND c.state = 'destroying' AND r.container_id = c.id AND r.state = 'created' AND r.owner_id IS NULL))
ORDER BY w.id LIMIT $3

-- Taken before the mark, under the worker's lock: releases and renewals of these owners now wait for us, and whatever was committed
-- before is seen by the statement that marks, which marks nothing of any other owner. Parameters as in orphan_mark.
-- statement: orphan_hold_owners
SELECT o.id FROM owners o
WHERE o.id @in(SELECT DISTINCT x.owner_id FROM (
    SELECT f.owner_id FROM @{orphan_candidates} WHERE f.owner_id IS NOT NULL AND @{is_orphan} LIMIT $5) x)
  AND (o.released IS NOT NULL OR o.renewed + o.ttl_ms <= CAST($1 AS BIGINT))
ORDER BY o.id @for_share_of(o)

-- $4 worker, $5 how many, $6 change, $7 wall, $8 ids of the owners that are held
-- statement: orphan_mark
UPDATE resources SET state = 'destroying', since_wall = CAST($7 AS BIGINT), entered = CAST($1 AS BIGINT), change = CAST($6 AS BIGINT),
  mark = CAST($6 AS BIGINT), missing_since = NULL, missing_wall = NULL,
  reason = CASE WHEN owner_id IS NULL THEN 'orphan: nobody owns it' ELSE 'orphan: its owner is released or expired' END
WHERE id @in(
  SELECT f.id FROM @{orphan_candidates}
  WHERE @{is_orphan} AND (CASE WHEN f.owner_id IS NULL OR f.owner_id IN (SELECT CAST(each.value AS BIGINT) FROM @each_text($8)) THEN TRUE ELSE FALSE END) LIMIT $5)
RETURNING kind, handle, reason

-- statement: orphan_explain
SELECT f.state, f.owner_name, f.owner_released, f.live_owner, f.pinned, f.was_touched, f.held_by_container, f.held_by_child, f.touched,
       CASE WHEN @{is_orphan} THEN 1 ELSE 0 END
FROM (SELECT @{orphan_facts}, o.name AS owner_name, o.released AS owner_released
      FROM resources r LEFT JOIN owners o ON o.id = r.owner_id WHERE r.id = $4) f

-- A failed create may have left something: destroy, never just forget.
-- fragment: is_failed
(r.state = 'failed')

-- statement: failed_workers
SELECT DISTINCT r.worker_id FROM resources r WHERE @{is_failed} AND r.worker_id > $1 ORDER BY r.worker_id LIMIT $2

-- $1 worker, $2 how many, $3 change, $4 now, $5 wall
-- statement: failed_mark
UPDATE resources SET state = 'destroying', since_wall = CAST($5 AS BIGINT), entered = CAST($4 AS BIGINT), change = CAST($3 AS BIGINT),
  mark = CAST($3 AS BIGINT), reason = 'its creation failed'
WHERE id @in(SELECT r.id FROM resources r WHERE r.worker_id = $1 AND @{is_failed} ORDER BY r.id LIMIT $2)
RETURNING kind, handle, reason

-- Creating for longer than the creating timeout ($3).
-- fragment: is_overdue
(r.state = 'creating' AND r.entered + CAST($3 AS BIGINT) <= CAST($1 AS BIGINT) AND r.entered >= CAST($2 AS BIGINT))

-- statement: overdue_workers
SELECT DISTINCT r.worker_id FROM resources r WHERE @{is_overdue} AND r.worker_id > CAST($4 AS BIGINT) ORDER BY r.worker_id LIMIT $5

-- $4 worker, $5 how many, $6 change, $7 wall
-- statement: overdue_fail
UPDATE resources SET state = 'failed', since_wall = CAST($7 AS BIGINT), entered = CAST($1 AS BIGINT), change = CAST($6 AS BIGINT)
WHERE id @in(SELECT r.id FROM resources r WHERE r.worker_id = $4 AND @{is_overdue} ORDER BY r.id LIMIT $5)
RETURNING kind, handle

-- Missing for longer than the missing grace ($3); or missing at all, under a parent that is missing for so long.
-- fragment: is_long_missing
(r.state = 'created' AND r.missing_since IS NOT NULL AND r.missing_since + CAST($3 AS BIGINT) <= CAST($1 AS BIGINT)
  AND r.missing_since >= CAST($2 AS BIGINT))

-- statement: missing_workers
SELECT DISTINCT r.worker_id FROM resources r WHERE @{is_long_missing} AND r.worker_id > CAST($4 AS BIGINT) ORDER BY r.worker_id LIMIT $5

-- $4 worker, $5 how many. Children first: a parent's row goes only with or after those of its missing children.
-- statement: missing_forget
DELETE FROM resources WHERE id @in(
  SELECT r.id FROM resources r LEFT JOIN resources p ON p.id = r.parent_id
  WHERE r.worker_id = $4 AND r.state = 'created' AND r.missing_since IS NOT NULL
    AND (@{is_long_missing}
         OR (p.state = 'created' AND p.missing_since IS NOT NULL AND p.missing_since + CAST($3 AS BIGINT) <= CAST($1 AS BIGINT)
             AND p.missing_since >= CAST($2 AS BIGINT)))
    AND NOT EXISTS (SELECT 1 FROM resources k WHERE k.parent_id = r.id AND k.state = 'created' AND k.missing_since IS NOT NULL)
  ORDER BY r.id LIMIT $5)
RETURNING kind, handle

-- statement: worker_add_lost
UPDATE workers SET change = change + 1, lost = lost + CAST($2 AS BIGINT) WHERE id = $1 RETURNING change

-- On a worker, without a row, for longer than the unknown grace ($3), and not held for the operator.
-- fragment: is_long_unknown
(u.since IS NOT NULL AND u.held = 0 AND u.since + CAST($3 AS BIGINT) <= CAST($1 AS BIGINT)
  AND (u.since >= CAST($2 AS BIGINT) OR CAST($3 AS BIGINT) = 0))

-- statement: unknown_workers
SELECT DISTINCT u.worker_id FROM unknowns u WHERE @{is_long_unknown} AND u.worker_id > CAST($4 AS BIGINT) ORDER BY u.worker_id LIMIT $5

-- $4 worker, $5 how many, $6 change, $7 wall
-- statement: unknown_mark
INSERT INTO resources (worker_id, kind, handle, state, since_wall, entered, change, mark, reason, present)
SELECT u.worker_id, u.kind, u.handle, 'destroying', CAST($7 AS BIGINT), CAST($1 AS BIGINT), CAST($6 AS BIGINT), CAST($6 AS BIGINT),
       'unknown: on the worker without a record', 1
FROM unknowns u WHERE u.worker_id = $4 AND @{is_long_unknown} ORDER BY u.kind, u.handle LIMIT $5
RETURNING kind, handle, reason

-- statement: unknown_marked
DELETE FROM unknowns
WHERE id @in(
  SELECT (SELECT u.id FROM unknowns u WHERE u.worker_id = r.worker_id AND u.kind = r.kind AND u.handle = r.handle)
  FROM resources r WHERE r.worker_id = $1 AND r.kind IN (0, 1) AND r.state = 'destroying' AND r.mark = CAST($2 AS BIGINT))

-- statement: worker_add_unknown
UPDATE workers SET unknown = unknown + CAST($2 AS BIGINT) WHERE id = $1

-- $3 worker expiry, $4 ephemeral expiry. A worker that never synced is running.
-- fragment: is_expired
(w.synced IS NOT NULL AND w.synced >= CAST($2 AS BIGINT)
  AND w.synced + CASE WHEN w.ephemeral = 1 THEN CAST($4 AS BIGINT) ELSE CAST($3 AS BIGINT) END <= CAST($1 AS BIGINT))

-- Workers whose life moves on: expired ones, those landing or retiring (drained or not is asked one by one), and those stalled for
-- longer than the stalled timeout ($5; 0 = never). $6 id to begin after, $7 how many
-- statement: lifecycle_workers
SELECT w.id FROM workers w
WHERE w.id > CAST($6 AS BIGINT)
  AND ((w.state IN ('running', 'landing', 'retiring') AND @{is_expired})
    OR w.state IN ('landing', 'retiring')
    OR (w.state = 'stalled' AND CAST($5 AS BIGINT) > 0 AND w.stalled_at + CAST($5 AS BIGINT) <= CAST($1 AS BIGINT)
        AND w.stalled_at >= CAST($2 AS BIGINT)))
ORDER BY w.id LIMIT $7

-- statement: lifecycle_facts
SELECT CASE WHEN @{is_expired} THEN 1 ELSE 0 END,
       CASE WHEN w.state = 'stalled' AND CAST($5 AS BIGINT) > 0 AND w.stalled_at + CAST($5 AS BIGINT) <= CAST($1 AS BIGINT)
         AND w.stalled_at >= CAST($2 AS BIGINT) THEN 1 ELSE 0 END
FROM workers w WHERE w.id = $6
