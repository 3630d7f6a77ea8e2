-- Owners. Statements that use the fragment owner_is_live begin with $1 = now and $2 = trusted_from (fleet/context.hpp: Moment).

-- An owner lives until it is released, and through the keeping asked for then; or until its lease has run out. No clock that began
-- before trusted_from has run out.
-- fragment: owner_is_live
(o.id IS NOT NULL AND CASE
  WHEN o.released IS NOT NULL THEN o.keep_ms > 0 AND (o.released + o.keep_ms > CAST($1 AS BIGINT) OR o.released < CAST($2 AS BIGINT))
  ELSE o.ttl_ms IS NULL OR o.renewed + o.ttl_ms > CAST($1 AS BIGINT) OR o.renewed < CAST($2 AS BIGINT)
END)

-- fragment: owner_columns
o.id, o.name, o.kind, o.ttl_ms, o.renewed, o.interruptible, o.labels, o.created_wall, o.released, o.released_wall, o.release_reason,
o.keep_ms, CASE WHEN @{owner_is_live} THEN 1 ELSE 0 END AS live,
(SELECT COUNT(*) FROM resources r WHERE r.owner_id = o.id) AS resources

-- statement: owner_find
SELECT @{owner_columns} FROM owners o WHERE o.name = $3

-- statement: owner_lock
SELECT @{owner_columns} FROM owners o WHERE o.name = $3 @for_update_of(o)

-- What joins an owner holds it as it is until the joining is committed: neither a release nor the end of its lease comes between.
-- statement: owner_hold
SELECT @{owner_columns} FROM owners o WHERE o.name = $3 @for_share_of(o)

-- statement: owner_list
SELECT @{owner_columns} FROM owners o WHERE o.name > $3 ORDER BY o.name LIMIT $4

-- statement: owner_insert
INSERT INTO owners (name, kind, ttl_ms, renewed, interruptible, labels, created_wall) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO NOTHING RETURNING id

-- statement: owner_renew
UPDATE owners SET ttl_ms = $2, renewed = $3, interruptible = $4, labels = $5, version = version + 1 WHERE id = $1

-- statement: owner_release
UPDATE owners SET released = $2, released_wall = $3, release_reason = $4, keep_ms = $5, settled = 0, version = version + 1 WHERE id = $1

-- statement: owner_delete
DELETE FROM owners WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM resources r WHERE r.owner_id = $1)

-- Owners that somebody holds just now are settled by the next pass. $1 a list of ids
-- statement: owners_settle
UPDATE owners SET settled = 1
WHERE id @in(
  SELECT o.id FROM owners o
  WHERE o.id @in(SELECT CAST(each.value AS BIGINT) FROM @each_text($1)) AND o.released IS NOT NULL AND o.settled = 0
    AND NOT EXISTS (SELECT 1 FROM resources r WHERE r.owner_id = o.id AND r.state IN ('created', 'creating', 'failed'))
  @for_update_of_skip_locked(o))
