-- The collectors. Each has one definition of its candidates; the pass, the guarded update and explain use that one.
-- Statements here begin with $1 = now and $2 = trusted_from: no clock that began before trusted_from has run out.

-- A container is an orphan if and only if it is created, has no live owner, no pin, and was not touched within the touch grace ($3).
-- A volume is an orphan under the same condition, and if no row of its container and no child volume remains that is not itself on
-- its way out. (The order of destruction is kept by orders_next: nothing goes out before what hangs on it is gone.)
-- Columns: live_owner, pinned, touched, held_by_container, held_by_child, orphan.
-- fragment: orphan_facts
SELECT r.id, r.worker_id, r.kind, r.handle, r.change, r.state, r.touched, o.name AS owner_name, o.released AS owner_released,
  CASE WHEN @{owner_is_live} THEN 1 ELSE 0 END AS live_owner,
  CASE WHEN @{is_pinned} THEN 1 ELSE 0 END AS pinned,
  CASE WHEN @{is_touched} THEN 1 ELSE 0 END AS was_touched,
  (SELECT c.handle FROM resources c WHERE c.id = r.container_id AND c.state <> 'destroying') AS held_by_container,
  (SELECT MIN(k.handle) FROM resources k WHERE k.parent_id = r.id AND k.state <> 'destroying') AS held_by_child
FROM resources r LEFT JOIN owners o ON o.id = r.owner_id

-- fragment: is_pinned
(r.pinned IS NOT NULL AND (r.pin_ttl_ms IS NULL OR r.pinned + r.pin_ttl_ms > CAST($1 AS BIGINT) OR r.pinned < CAST($2 AS BIGINT)))

-- fragment: is_touched
(r.touched IS NOT NULL AND CAST($3 AS BIGINT) > 0
  AND (r.touched + CAST($3 AS BIGINT) > CAST($1 AS BIGINT) OR r.touched < CAST($2 AS BIGINT)))

-- fragment: is_orphan
(f.state = 'created' AND f.live_owner = 0 AND f.pinned = 0 AND f.was_touched = 0 AND f.held_by_container IS NULL
  AND f.held_by_child IS NULL)

-- Where orphans can be, by index: resources of owners that ended, those with neither owner nor container, volumes of containers that are
-- on their way out. Every orphan is among them; what else is among them is_orphan refuses.
-- fragment: orphan_places
SELECT r.id FROM owners o JOIN resources r ON r.owner_id = o.id
  WHERE o.released IS NOT NULL AND o.settled = 0 AND r.state = 'created'
UNION
SELECT r.id FROM owners o JOIN resources r ON r.owner_id = o.id
  WHERE o.released IS NULL AND o.ttl_ms IS NOT NULL AND o.renewed + o.ttl_ms <= CAST($1 AS BIGINT) AND r.state = 'created'
UNION
SELECT r.id FROM resources r WHERE r.state = 'created' AND r.owner_id IS NULL AND r.container_id IS NULL
UNION
SELECT r.id FROM resources c JOIN resources r ON r.container_id = c.id
  WHERE c.state = 'destroying' AND r.state = 'created' AND r.owner_id IS NULL

-- $4 worker id to begin after, $5 how many
-- statement: orphan_workers
SELECT DISTINCT f.worker_id FROM (@{orphan_facts} WHERE r.id IN (@{orphan_places})) f
WHERE @{is_orphan} AND f.worker_id > CAST($4 AS BIGINT) ORDER BY f.worker_id LIMIT $5

-- Taken before the mark, under the worker's lock: releases and renewals of these owners now wait for us, and whatever was committed
-- before is seen by the statement that marks. $1 worker, $2 now
-- statement: orphan_hold_owners
SELECT o.id FROM owners o
WHERE o.id IN (SELECT r.owner_id FROM resources r WHERE r.worker_id = $1 AND r.state = 'created' AND r.owner_id IS NOT NULL)
  AND (o.released IS NOT NULL OR o.renewed + o.ttl_ms <= $2)
ORDER BY o.id @for_share_of(o)

-- $4 worker, $5 how many, $6 change, $7 wall
-- statement: orphan_mark
UPDATE resources SET state = 'destroying', since_wall = CAST($7 AS BIGINT), entered = CAST($1 AS BIGINT), change = CAST($6 AS BIGINT),
  mark = CAST($6 AS BIGINT), missing_since = NULL, missing_wall = NULL,
  reason = CASE WHEN owner_id IS NULL THEN 'orphan: nobody owns it' ELSE 'orphan: its owner is released or expired' END
WHERE state = 'created' AND id IN (
  SELECT f.id FROM (@{orphan_facts} WHERE r.worker_id = $4 AND r.id IN (@{orphan_places})) f
  WHERE @{is_orphan} ORDER BY f.id LIMIT $5)
RETURNING kind, handle, reason

-- statement: orphan_explain
SELECT f.state, f.owner_name, f.owner_released, f.live_owner, f.pinned, f.was_touched, f.held_by_container, f.held_by_child, f.touched,
       CASE WHEN @{is_orphan} THEN 1 ELSE 0 END
FROM (@{orphan_facts} WHERE r.id = $4) f

-- A failed create may have left something: destroy, never just forget.
-- fragment: is_failed
(r.state = 'failed')

-- statement: failed_workers
SELECT DISTINCT r.worker_id FROM resources r WHERE @{is_failed} AND r.worker_id > $1 ORDER BY r.worker_id LIMIT $2

-- $1 worker, $2 how many, $3 change, $4 now, $5 wall
-- statement: failed_mark
UPDATE resources SET state = 'destroying', since_wall = CAST($5 AS BIGINT), entered = CAST($4 AS BIGINT), change = CAST($3 AS BIGINT),
  mark = CAST($3 AS BIGINT), reason = 'its creation failed'
WHERE state = 'failed' AND id IN (SELECT r.id FROM resources r WHERE r.worker_id = $1 AND @{is_failed} ORDER BY r.id LIMIT $2)
RETURNING kind, handle, reason

-- Creating for longer than the creating timeout ($3).
-- fragment: is_overdue
(r.state = 'creating' AND r.entered + CAST($3 AS BIGINT) <= CAST($1 AS BIGINT) AND r.entered >= CAST($2 AS BIGINT))

-- statement: overdue_workers
SELECT DISTINCT r.worker_id FROM resources r WHERE @{is_overdue} AND r.worker_id > CAST($4 AS BIGINT) ORDER BY r.worker_id LIMIT $5

-- $4 worker, $5 how many, $6 change, $7 wall
-- statement: overdue_fail
UPDATE resources SET state = 'failed', since_wall = CAST($7 AS BIGINT), entered = CAST($1 AS BIGINT), change = CAST($6 AS BIGINT)
WHERE state = 'creating' AND id IN (SELECT r.id FROM resources r WHERE r.worker_id = $4 AND @{is_overdue} ORDER BY r.id LIMIT $5)
RETURNING kind, handle

-- Missing for longer than the missing grace ($3); or missing at all, under a parent that is missing for so long.
-- fragment: is_long_missing
(r.state = 'created' AND r.missing_since IS NOT NULL AND r.missing_since + CAST($3 AS BIGINT) <= CAST($1 AS BIGINT)
  AND r.missing_since >= CAST($2 AS BIGINT))

-- statement: missing_workers
SELECT DISTINCT r.worker_id FROM resources r WHERE @{is_long_missing} AND r.worker_id > CAST($4 AS BIGINT) ORDER BY r.worker_id LIMIT $5

-- $4 worker, $5 how many. Children first: a parent's row goes only with or after those of its missing children.
-- statement: missing_forget
DELETE FROM resources WHERE state = 'created' AND missing_since IS NOT NULL AND id IN (
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
DELETE FROM unknowns WHERE worker_id = $1
  AND EXISTS (SELECT 1 FROM resources r WHERE r.worker_id = $1 AND r.kind = unknowns.kind AND r.handle = unknowns.handle AND r.mark = $2)

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
