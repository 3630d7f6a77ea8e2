-- The collectors. Each has one definition of its candidates; the pass, its guarded update, plan, apply and explain use that one.
-- Statements here begin with $1 = now and $2 = trusted_from: no clock that began before trusted_from has run out.
-- A collector finds (`*_find`: id, kind, handle, reason, bytes, version, owner id, owner version of its candidates) and acts on a list
-- of what was found, [{id, version, owner_version}], each element looked up by its id and judged anew: what has changed since, or is no
-- candidate any more, is left alone.

-- fragment: row_found
resources r WHERE r.id = CAST(each.value ->> 'id' AS BIGINT)

-- fragment: is_as_found
(r.change = CAST(each.value ->> 'version' AS BIGINT))

-- A container is an orphan if and only if it is created, has no live owner, no pin, and was not touched within the touch grace ($3).
-- A volume is an orphan under the same condition, and if no row of its container and no child volume remains that is not itself on
-- its way out. (The order of destruction is kept by orders_next: nothing goes out before what hangs on it is gone.)
-- Columns: live_owner, pinned, touched, held_by_container, held_by_child, orphan.
-- fragment: orphan_facts
r.id, r.kind, r.handle, r.bytes, r.change, r.state, r.touched, r.owner_id,
  COALESCE((SELECT CASE WHEN @{owner_is_live} THEN 1 ELSE 0 END FROM owners o WHERE o.id = r.owner_id), 0) AS live_owner,
  COALESCE((SELECT o.version FROM owners o WHERE o.id = r.owner_id), 0) AS owner_version,
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

-- fragment: orphan_reason
CASE WHEN owner_id IS NULL THEN 'orphan: nobody owns it' ELSE 'orphan: its owner is released or expired' END

-- Owners that ended: released ones that may still have something, and those whose lease ran out and that nobody released yet. (The
-- casts are those of the indexes.)
-- fragment: ended_by_release
o.released IS NOT NULL AND o.settled = 0 AND CAST(o.released + o.keep_ms AS BIGINT) <= CAST($1 AS BIGINT)

-- fragment: ended_by_lease
o.released IS NULL AND o.ttl_ms IS NOT NULL AND CAST(o.renewed + o.ttl_ms AS BIGINT) <= CAST($1 AS BIGINT)

-- fragment: ended_owners
SELECT o.id FROM owners o WHERE @{ended_by_release}
UNION ALL
SELECT o.id FROM owners o WHERE @{ended_by_lease}

-- Where orphans of a worker ($4) can be: resources of owners that ended, those with neither owner nor container, volumes of containers
-- that are on their way out. Every orphan is among them, once; what else is among them is_orphan refuses.
-- fragment: orphan_places
SELECT r.id FROM @looked_up((@{ended_owners}) e, resources r, r.owner_id = e.id AND r.worker_id = $4 AND r.state = 'created')
UNION ALL
SELECT r.id FROM resources r WHERE r.worker_id = $4 AND r.state = 'created' AND r.owner_id IS NULL AND r.container_id IS NULL
UNION ALL
SELECT r.id FROM @looked_up((SELECT c.id FROM resources c WHERE c.worker_id = $4 AND c.kind = 0 AND c.state = 'destroying') c, resources r,
                            r.container_id = c.id AND r.state = 'created' AND r.owner_id IS NULL)

-- The workers on which there is such a place are walked some at a time, so that no statement grows with what there is to mark: by ended
-- owners, in the order in which they ended ($2, $3: the last one's end and id; $4 how many) ...
-- statement: orphan_owners_released
SELECT o.id, CAST(o.released + o.keep_ms AS BIGINT) AS ended FROM owners o
WHERE @{ended_by_release} AND CAST(o.released + o.keep_ms AS BIGINT) >= CAST($2 AS BIGINT)
  AND (CAST(o.released + o.keep_ms AS BIGINT) > CAST($2 AS BIGINT) OR o.id > CAST($3 AS BIGINT))
ORDER BY CAST(o.released + o.keep_ms AS BIGINT), o.id LIMIT $4

-- statement: orphan_owners_lapsed
SELECT o.id, CAST(o.renewed + o.ttl_ms AS BIGINT) AS ended FROM owners o
WHERE @{ended_by_lease} AND CAST(o.renewed + o.ttl_ms AS BIGINT) >= CAST($2 AS BIGINT)
  AND (CAST(o.renewed + o.ttl_ms AS BIGINT) > CAST($2 AS BIGINT) OR o.id > CAST($3 AS BIGINT))
ORDER BY CAST(o.renewed + o.ttl_ms AS BIGINT), o.id LIMIT $4

-- ... from one worker of theirs ($1, a list of ids) to the next by index, however many rows there are on each;
-- statement: orphan_workers_of_owners
WITH RECURSIVE owned (owner_id, worker_id) AS (
  SELECT CAST(each.value AS BIGINT),
         (SELECT MIN(r.worker_id) FROM resources r WHERE r.owner_id = CAST(each.value AS BIGINT) AND r.state = 'created')
  FROM @each_text($1)
  UNION ALL
  SELECT h.owner_id,
         (SELECT MIN(r.worker_id) FROM resources r WHERE r.owner_id = h.owner_id AND r.state = 'created' AND r.worker_id > h.worker_id)
  FROM owned h WHERE h.worker_id IS NOT NULL
)
SELECT DISTINCT h.worker_id FROM owned h WHERE h.worker_id IS NOT NULL

-- by what has neither owner nor container ($1 worker to begin after, $2 how many);
-- statement: orphan_workers_alone
SELECT w.id FROM workers w
WHERE w.id > CAST($1 AS BIGINT)
  AND EXISTS (SELECT 1 FROM resources r WHERE r.worker_id = w.id AND r.state = 'created' AND r.owner_id IS NULL AND r.container_id IS NULL)
ORDER BY w.id LIMIT $2

-- by containers on their way out, from one mark of a worker to the next ($1, $2: the last worker and mark looked at; $3 how many steps):
-- whether something hangs on a container of that mark. MIN, because it alone is a walk along the index for both engines; a mark is of at
-- most one slice. Mark 0 is the step to another worker.
-- fragment: next_mark
(SELECT MIN(c.mark) FROM resources c WHERE c.state = 'destroying' AND c.worker_id = m.worker_id AND c.kind = 0 AND c.mark > m.mark)

-- statement: orphan_workers_hung
WITH RECURSIVE marks (worker_id, mark, step) AS (
  SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST(0 AS BIGINT)
  UNION ALL
  SELECT CASE WHEN @{next_mark} IS NULL
           THEN (SELECT MIN(c.worker_id) FROM resources c WHERE c.state = 'destroying' AND c.worker_id > m.worker_id)
           ELSE m.worker_id END,
         COALESCE(@{next_mark}, 0), m.step + 1
  FROM marks m WHERE m.worker_id IS NOT NULL AND m.step < CAST($3 AS BIGINT)
)
SELECT m.worker_id, m.mark,
       CASE WHEN m.mark > 0 AND EXISTS (
         SELECT 1 FROM resources c CROSS JOIN resources r
         WHERE c.state = 'destroying' AND c.worker_id = m.worker_id AND c.kind = 0 AND c.mark = m.mark
           AND r.container_id = c.id AND r.state = 'created' AND r.owner_id IS NULL) THEN 1 ELSE 0 END
FROM marks m WHERE m.step > 0 AND m.worker_id IS NOT NULL ORDER BY m.step

-- $4 worker, $5 how many
-- statement: orphan_find
SELECT f.id, f.kind, f.handle, @{orphan_reason}, f.bytes, f.change, f.owner_id, f.owner_version
FROM (SELECT @{orphan_facts} FROM (@{orphan_places}) p CROSS JOIN resources r WHERE r.id = p.id) f
WHERE @{is_orphan} LIMIT $5

-- Taken before the mark, under the worker's lock: releases and renewals of these owners ($1, a list of ids) now wait for us, and whatever
-- was committed before is seen by the statement that marks.
-- statement: orphan_hold_owners
SELECT o.id FROM owners o WHERE o.id @in(SELECT CAST(each.value AS BIGINT) FROM @each_text($1)) ORDER BY o.id @for_share_of(o)

-- $4 change, $5 wall, $6 what was found
-- statement: orphan_mark
UPDATE resources SET state = 'destroying', since_wall = CAST($5 AS BIGINT), entered = CAST($1 AS BIGINT), change = CAST($4 AS BIGINT),
  mark = CAST($4 AS BIGINT), missing_since = NULL, missing_wall = NULL, reason = @{orphan_reason}
WHERE id @in(
  SELECT (SELECT CASE WHEN @{is_orphan} AND f.is_as_found AND f.owner_version = CAST(each.value ->> 'owner_version' AS BIGINT) THEN f.id END
          FROM (SELECT @{orphan_facts}, @{is_as_found} AS is_as_found FROM @{row_found}) f)
  FROM @each($6))
RETURNING kind, handle, reason

-- What is true now of rows ($4, a list of ids) that a plan names.
-- statement: plan_look
SELECT f.id, f.state, f.live_owner, f.pinned, f.was_touched, f.held_by_container, f.held_by_child
FROM (SELECT @{orphan_facts} FROM resources r WHERE r.id @in(SELECT CAST(each.value AS BIGINT) FROM @each_text($4))) f

-- statement: orphan_explain
SELECT f.state, f.owner_name, f.owner_released, f.live_owner, f.pinned, f.was_touched, f.held_by_container, f.held_by_child, f.touched,
       CASE WHEN @{is_orphan} THEN 1 ELSE 0 END
FROM (SELECT @{orphan_facts}, o.name AS owner_name, o.released AS owner_released
      FROM resources r LEFT JOIN owners o ON o.id = r.owner_id WHERE r.id = $4) f

-- A lease that has run out.
-- fragment: is_lapsed
(o.released IS NULL AND o.ttl_ms IS NOT NULL AND CAST(o.renewed + o.ttl_ms AS BIGINT) <= CAST($1 AS BIGINT) AND o.renewed >= CAST($2 AS BIGINT))

-- $3 how many
-- statement: lapsed_find
SELECT o.id, NULL, o.name, 'its lease ran out', NULL, o.version, NULL, 0 FROM owners o WHERE @{is_lapsed} LIMIT $3

-- Several owners are locked in the order of their ids, here and in orphan_hold_owners: nobody waits in a circle. $1 what was found
-- statement: lapsed_hold
SELECT o.id FROM owners o WHERE o.id @in(SELECT CAST(each.value ->> 'id' AS BIGINT) FROM @each($1)) ORDER BY o.id @for_update_of(o)

-- $3 wall, $4 what was found
-- statement: lapsed_release
UPDATE owners SET released = CAST($1 AS BIGINT), released_wall = $3, release_reason = 'lease ran out', keep_ms = 0, version = version + 1
WHERE id @in(
  SELECT (SELECT CASE WHEN @{is_lapsed} AND o.version = CAST(each.value ->> 'version' AS BIGINT) THEN o.id END
          FROM owners o WHERE o.id = CAST(each.value ->> 'id' AS BIGINT))
  FROM @each($4))
RETURNING name

-- A failed create may have left something: destroy, never just forget.
-- fragment: is_failed
(r.state = 'failed')

-- statement: failed_workers
SELECT DISTINCT r.worker_id FROM resources r WHERE @{is_failed} AND r.worker_id > $1 ORDER BY r.worker_id LIMIT $2

-- $1 worker, $2 how many
-- statement: failed_find
SELECT r.id, r.kind, r.handle, 'its creation failed', r.bytes, r.change, NULL, 0
FROM resources r WHERE r.worker_id = $1 AND @{is_failed} ORDER BY r.id LIMIT $2

-- $1 now, $2 wall, $3 change, $4 what was found
-- statement: failed_mark
UPDATE resources SET state = 'destroying', since_wall = CAST($2 AS BIGINT), entered = CAST($1 AS BIGINT), change = CAST($3 AS BIGINT),
  mark = CAST($3 AS BIGINT), reason = 'its creation failed'
WHERE id @in(SELECT (SELECT CASE WHEN @{is_failed} AND @{is_as_found} THEN r.id END FROM @{row_found}) FROM @each($4))
RETURNING kind, handle, reason

-- Creating for longer than the creating timeout ($3).
-- fragment: is_overdue
(r.state = 'creating' AND r.entered + CAST($3 AS BIGINT) <= CAST($1 AS BIGINT) AND r.entered >= CAST($2 AS BIGINT))

-- statement: overdue_workers
SELECT DISTINCT r.worker_id FROM resources r WHERE @{is_overdue} AND r.worker_id > CAST($4 AS BIGINT) ORDER BY r.worker_id LIMIT $5

-- $4 worker, $5 how many
-- statement: overdue_find
SELECT r.id, r.kind, r.handle, 'creating for longer than the creating timeout', r.bytes, r.change, NULL, 0
FROM resources r WHERE r.worker_id = $4 AND @{is_overdue} ORDER BY r.id LIMIT $5

-- $4 wall, $5 change, $6 what was found
-- statement: overdue_fail
UPDATE resources SET state = 'failed', since_wall = CAST($4 AS BIGINT), entered = CAST($1 AS BIGINT), change = CAST($5 AS BIGINT)
WHERE id @in(SELECT (SELECT CASE WHEN @{is_overdue} AND @{is_as_found} THEN r.id END FROM @{row_found}) FROM @each($6))
RETURNING kind, handle

-- Missing for longer than the missing grace ($3), or at all where it is of an earlier life of its machine; and its kind is judged: no
-- brake is on. Not while an order is in hand, given before a database was restored: it could hit the handle's next bearer.
-- fragment: is_long_missing
(r.state = 'created' AND r.missing_since IS NOT NULL AND r.in_hand = 0
  AND ((r.missing_since + CAST($3 AS BIGINT) <= CAST($1 AS BIGINT) AND r.missing_since >= CAST($2 AS BIGINT))
       OR r.change <= (SELECT CASE WHEN r.kind = 0 THEN f.container_former ELSE f.volume_former END FROM workers f WHERE f.id = r.worker_id))
  AND (SELECT CASE WHEN r.kind = 0 THEN b.container_brake ELSE b.volume_brake END FROM workers b WHERE b.id = r.worker_id) IS NULL)

-- Lost: missing for so long, or missing at all under a parent or in a container that is. What hangs on others goes first, so that it is
-- remembered with what it hung on.
-- fragment: is_lost
(r.state = 'created' AND r.missing_since IS NOT NULL
  AND (@{is_long_missing}
       OR EXISTS (SELECT 1 FROM (SELECT r.parent_id, r.container_id) child CROSS JOIN resources r
                  WHERE r.id IN (child.parent_id, child.container_id) AND @{is_long_missing}))
  AND NOT EXISTS (SELECT 1 FROM resources k WHERE k.parent_id = r.id AND k.state = 'created' AND k.missing_since IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM resources k WHERE k.container_id = r.id AND k.state = 'created' AND k.missing_since IS NOT NULL))

-- statement: missing_workers
SELECT DISTINCT r.worker_id FROM resources r WHERE @{is_long_missing} AND r.worker_id > CAST($4 AS BIGINT) ORDER BY r.worker_id LIMIT $5

-- $4 worker, $5 how many
-- statement: missing_find
SELECT r.id, r.kind, r.handle, 'missing from the inventories for longer than the missing grace', r.bytes, r.change, NULL, 0
FROM resources r WHERE r.worker_id = $4 AND @{is_lost} ORDER BY r.id LIMIT $5

-- What is about to be lost is remembered. $4 what was found
-- statement: missing_remember
INSERT INTO lost_resources (worker_id, kind, handle, owner_id, container, parent, pinned, pin_ttl_ms, pin_reason, bytes, lost_at)
SELECT r.worker_id, r.kind, r.handle, r.owner_id, r.container, r.parent, r.pinned, r.pin_ttl_ms, r.pin_reason, r.bytes,
       CAST($1 AS BIGINT)
FROM resources r
WHERE r.id @in(SELECT (SELECT CASE WHEN @{is_lost} AND @{is_as_found} THEN r.id END FROM @{row_found}) FROM @each($4))
ON CONFLICT (worker_id, kind, handle) DO UPDATE SET owner_id = excluded.owner_id, container = excluded.container,
  parent = excluded.parent, pinned = excluded.pinned, pin_ttl_ms = excluded.pin_ttl_ms, pin_reason = excluded.pin_reason,
  bytes = excluded.bytes, lost_at = excluded.lost_at, is_over = 0

-- $4 what was found
-- statement: missing_forget
DELETE FROM resources
WHERE id @in(SELECT (SELECT CASE WHEN @{is_lost} AND @{is_as_found} THEN r.id END FROM @{row_found}) FROM @each($4))
RETURNING kind, handle

-- statement: worker_add_lost
UPDATE workers SET change = change + 1, lost = lost + CAST($2 AS BIGINT) WHERE id = $1 RETURNING change

-- On a worker, without a row, for longer than the unknown grace ($3), not held for the operator; and its kind is judged and no worker
-- shows that this database has forgotten something, or the operator has agreed that it goes.
-- fragment: is_long_unknown
(u.since IS NOT NULL AND u.held = 0 AND u.since + CAST($3 AS BIGINT) <= CAST($1 AS BIGINT)
  AND (u.since >= CAST($2 AS BIGINT) OR CAST($3 AS BIGINT) = 0)
  AND (u.agreed = 1
       OR ((SELECT CASE WHEN u.kind = 0 THEN b.container_brake ELSE b.volume_brake END FROM workers b WHERE b.id = u.worker_id) IS NULL
           AND NOT EXISTS (SELECT 1 FROM regressed_workers))))

-- statement: unknown_workers
SELECT DISTINCT u.worker_id FROM unknowns u WHERE @{is_long_unknown} AND u.worker_id > CAST($4 AS BIGINT) ORDER BY u.worker_id LIMIT $5

-- $4 worker, $5 how many
-- statement: unknown_due
SELECT u.id, u.kind, u.handle, 'unknown: on the worker without a record', NULL, u.change, NULL, 0
FROM unknowns u WHERE u.worker_id = $4 AND @{is_long_unknown} ORDER BY u.kind, u.handle LIMIT $5

-- $6 change, $7 wall
-- fragment: unknown_rows
SELECT u.worker_id, u.kind, u.handle, 'destroying', CAST($7 AS BIGINT), CAST($1 AS BIGINT), CAST($6 AS BIGINT), CAST($6 AS BIGINT),
       'unknown: on the worker without a record', 1
FROM unknowns u WHERE u.worker_id = $4 AND @{is_long_unknown}

-- Found and marked at once, by the sync that shows a stranger nobody waits for.
-- statement: unknown_mark
INSERT INTO resources (worker_id, kind, handle, state, since_wall, entered, change, mark, reason, present)
@{unknown_rows} ORDER BY u.kind, u.handle LIMIT $5
RETURNING kind, handle, reason

-- $5 how many, $8 what was found
-- statement: unknown_mark_found
INSERT INTO resources (worker_id, kind, handle, state, since_wall, entered, change, mark, reason, present)
@{unknown_rows} AND u.id @in(
  SELECT (SELECT CASE WHEN x.change = CAST(each.value ->> 'version' AS BIGINT) THEN x.id END
          FROM unknowns x WHERE x.id = CAST(each.value ->> 'id' AS BIGINT))
  FROM @each($8))
LIMIT $5
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
