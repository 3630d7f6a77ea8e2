-- Containers and volumes. Whoever runs a changing statement here holds the worker's lock and passes the change number it drew.

-- fragment: resource_columns
r.id, w.name, r.kind, r.handle, r.state, r.since_wall, o.name, c.handle, p.handle, r.missing_wall,
CASE WHEN r.pinned IS NOT NULL AND (r.pin_ttl_ms IS NULL OR r.pinned + r.pin_ttl_ms > CAST($1 AS BIGINT) OR r.pinned < CAST($2 AS BIGINT))
  THEN 1 ELSE 0 END, r.pin_reason, r.attempts, r.last_error, r.bytes, r.in_hand, r.stuck, r.reason, r.in_hand_since

-- fragment: resource_joins
JOIN workers w ON w.id = r.worker_id LEFT JOIN owners o ON o.id = r.owner_id
LEFT JOIN resources c ON c.id = r.container_id LEFT JOIN resources p ON p.id = r.parent_id

-- statement: resource_find
SELECT @{resource_columns} FROM resources r @{resource_joins} WHERE w.name = $3 AND r.kind = $4 AND r.handle = $5

-- Lists: $3 kind, $4 after, $5 state, $6 missing only (0 or 1), $7 how many. Each reads in the order of an index that fits what it is
-- asked for, and joins only what it shows.
-- fragment: resource_is_asked_for
(CAST($5 AS TEXT) IS NULL OR x.state = $5) AND (CAST($6 AS INTEGER) = 0 OR x.missing_since IS NOT NULL)

-- statement: resource_list
SELECT @{resource_columns} FROM (
  SELECT x.* FROM resources x WHERE x.kind = $3 AND x.id > CAST($4 AS BIGINT) AND @{resource_is_asked_for} ORDER BY x.id LIMIT $7) r
@{resource_joins} ORDER BY r.id

-- By handle, as the unique index has them. $8 worker
-- statement: resource_list_of_worker
SELECT @{resource_columns} FROM (
  SELECT x.* FROM resources x
  WHERE x.worker_id = (SELECT y.id FROM workers y WHERE y.name = $8) AND x.kind = $3 AND x.handle > $4 AND @{resource_is_asked_for}
  ORDER BY x.handle LIMIT $7) r
@{resource_joins} ORDER BY r.handle

-- $8 owner, $9 worker or null. (+: the owner's rows are few and sorted; all rows by id are many.)
-- statement: resource_list_of_owner
SELECT @{resource_columns} FROM (
  SELECT x.* FROM resources x
  WHERE x.owner_id = (SELECT y.id FROM owners y WHERE y.name = $8) AND x.kind = $3 AND +x.id > CAST($4 AS BIGINT)
    AND (CAST($9 AS TEXT) IS NULL OR x.worker_id = (SELECT z.id FROM workers z WHERE z.name = $9)) AND @{resource_is_asked_for}
  ORDER BY +x.id LIMIT $7) r
@{resource_joins} ORDER BY r.id

-- What hangs on it: volumes of a container, children of a volume.
-- statement: resource_dependents
SELECT handle FROM (
  SELECT r.handle FROM resources r WHERE r.container_id = $1
  UNION
  SELECT r.handle FROM resources r WHERE r.parent_id = $1) d
ORDER BY handle LIMIT $2

-- statement: resource_entered
SELECT entered FROM resources WHERE id = $1

-- statement: resource_ref
SELECT id, state FROM resources WHERE worker_id = $1 AND kind = $2 AND handle = $3

-- statement: resource_insert
INSERT INTO resources (worker_id, kind, handle, owner_id, container_id, parent_id, state, since_wall, entered, change, container, parent,
                       present)
SELECT CAST($1 AS BIGINT), CAST($2 AS INTEGER), $3, CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), 'creating',
       CAST($7 AS BIGINT), CAST($8 AS BIGINT), CAST($9 AS BIGINT), $10, $11,
       (SELECT COUNT(*) FROM unknowns u WHERE u.worker_id = $1 AND u.kind = $2 AND u.handle = $3)
RETURNING id

-- Whatever hung on the last bearer of a handle does not hang on the next. $2 kind, $3 handle
-- statement: resource_let_go
UPDATE resources SET container = CASE WHEN CAST($2 AS INTEGER) = 0 THEN NULL ELSE container END,
  parent = CASE WHEN CAST($2 AS INTEGER) = 1 THEN NULL ELSE parent END
WHERE id @in(
  SELECT k.id FROM resources k
  WHERE CAST($2 AS INTEGER) = 0 AND k.worker_id = $1 AND k.container = $3 AND k.container_id IS NULL AND k.container IS NOT NULL
  UNION ALL
  SELECT k.id FROM resources k
  WHERE CAST($2 AS INTEGER) = 1 AND k.worker_id = $1 AND k.parent = $3 AND k.parent_id IS NULL AND k.parent IS NOT NULL)

-- statement: unknown_forget
DELETE FROM unknowns WHERE worker_id = $1 AND kind = $2 AND handle = $3

-- A parent that gets a child has changed: a mark planned before fails.
-- statement: resource_bump
UPDATE resources SET change = $2 WHERE id = $1

-- statement: resource_set_state
UPDATE resources SET state = $2, since_wall = $3, entered = $4, change = $5, missing_since = NULL, missing_wall = NULL
WHERE id = $1 AND state = $6

-- statement: resource_mark
UPDATE resources SET state = 'destroying', since_wall = $2, entered = $3, change = $4, mark = $4, reason = $5, missing_since = NULL,
  missing_wall = NULL
WHERE id = $1 AND state = $6

-- statement: resource_touch
UPDATE resources SET touched = $2, change = $3 WHERE id = $1 AND state <> 'destroying'

-- statement: resource_pin
UPDATE resources SET pinned = $2, pin_ttl_ms = $3, pin_reason = $4, change = $5 WHERE id = $1 AND state <> 'destroying'

-- statement: resource_unpin
UPDATE resources SET pinned = NULL, pin_ttl_ms = NULL, pin_reason = NULL, change = $2 WHERE id = $1

-- statement: resource_own
UPDATE resources SET owner_id = $2, change = $3 WHERE id = $1 AND state <> 'destroying'
