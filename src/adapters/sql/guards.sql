-- The guards: what is held for the operator, what the operator accepts, and what comes back. All under the worker's lock.


-- Its things that have no row here. $2 kind, $3 handles
-- statement: regression_strangers
SELECT each.value FROM @each_text($3)
WHERE (SELECT r.id FROM resources r WHERE r.worker_id = $1 AND r.kind = $2 AND r.handle = each.value) IS NULL

-- $2 wall, $3 reason, $4 lineage, $5 and $6 how many containers and volumes, $7 the first names
-- statement: regression_record
INSERT INTO regressed_workers (worker_id, since_wall, reason, lineage, containers, volumes, names) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (worker_id) DO UPDATE SET reason = excluded.reason, lineage = excluded.lineage,
  containers = excluded.containers, volumes = excluded.volumes, names = excluded.names

-- statement: regression_forget
DELETE FROM regressed_workers WHERE worker_id = $1

-- statement: regression_list
SELECT w.name, g.since_wall, g.reason, g.lineage, g.containers, g.volumes, g.names, w.id
FROM regressed_workers g JOIN workers w ON w.id = g.worker_id ORDER BY w.id LIMIT $1

-- statement: worker_hold_incarnation
UPDATE workers SET held_incarnation = $2 WHERE id = $1

-- statement: worker_refuse_session
UPDATE workers SET refused_session = $2 WHERE id = $1

-- The brakes that are on let the next inventory through. The new change number makes the worker's next sync go the long way.
-- statement: worker_lift_brakes
UPDATE workers SET change = change + 1,
  container_brake_lifted = CASE WHEN container_brake IS NULL THEN 0 ELSE 1 END,
  volume_brake_lifted = CASE WHEN volume_brake IS NULL THEN 0 ELSE 1 END
WHERE id = $1

-- $2 what strangers of the new incarnation meet
-- statement: worker_accept_incarnation
UPDATE workers SET accepted_incarnation = held_incarnation, existing = $2 WHERE id = $1

-- statement: worker_accept_session
UPDATE workers SET session_accepted = 1, refused_session = NULL WHERE id = $1

-- statement: worker_set_existing
UPDATE workers SET existing = $2 WHERE id = $1

-- The owner of what is adopted lives until somebody releases it, and again when more is adopted after that.
-- $1 name, $2 now, $3 wall
-- statement: adopt_owner
INSERT INTO owners (name, kind, renewed, interruptible, labels, created_wall) VALUES ($1, 'adopted', $2, 1, '{}', $3)
ON CONFLICT (name) DO UPDATE SET released = NULL, released_wall = NULL, release_reason = NULL, keep_ms = 0, ttl_ms = NULL, settled = 0,
  version = owners.version + 1
RETURNING id

-- $2 kind, $3 handles, $4 owner, $5 change, $6 now, $7 wall
-- statement: adopt_appeared
INSERT INTO resources (worker_id, kind, handle, owner_id, state, since_wall, entered, change, present, container, parent)
SELECT CAST($1 AS BIGINT), CAST($2 AS INTEGER), each.value, CAST($4 AS BIGINT), 'created', CAST($7 AS BIGINT), CAST($6 AS BIGINT),
       CAST($5 AS BIGINT), 1,
       (SELECT l.container FROM lost_resources l WHERE l.worker_id = $1 AND l.kind = $2 AND l.handle = each.value),
       (SELECT l.parent FROM lost_resources l WHERE l.worker_id = $1 AND l.kind = $2 AND l.handle = each.value)
FROM @each_text($3) WHERE 1 = 1
ON CONFLICT (worker_id, kind, handle) DO NOTHING
RETURNING handle

-- $2 owner, $3 change, $4 now, $5 wall
-- statement: adopt_held
INSERT INTO resources (worker_id, kind, handle, owner_id, state, since_wall, entered, change, present, container, parent)
SELECT u.worker_id, u.kind, u.handle, CAST($2 AS BIGINT), 'created', CAST($5 AS BIGINT), CAST($4 AS BIGINT), CAST($3 AS BIGINT), 1,
       l.container, l.parent
FROM unknowns u LEFT JOIN lost_resources l ON l.worker_id = u.worker_id AND l.kind = u.kind AND l.handle = u.handle
WHERE u.worker_id = $1 AND u.held = 1

-- statement: held_forget
DELETE FROM unknowns WHERE worker_id = $1 AND held = 1

-- statement: worker_add_adopted
UPDATE workers SET adopted = adopted + CAST($2 AS BIGINT) WHERE id = $1

-- statement: held_agree
UPDATE unknowns SET held = 0, agreed = 1 WHERE worker_id = $1 AND held = 1

-- statement: lost_any
SELECT 1 FROM lost_resources WHERE worker_id = $1 LIMIT 1

-- Owners of what comes back stay as they are until it is there, or are seen as they have become. $1 worker, $2 kind, $3 handles
-- statement: lost_hold_owners
SELECT o.id FROM owners o
WHERE o.id @in(SELECT (SELECT l.owner_id FROM lost_resources l WHERE l.worker_id = $1 AND l.kind = $2 AND l.handle = each.value)
               FROM @each_text($3))
ORDER BY o.id @for_share_of(o)

-- What comes back and is wanted has its row back: its owner lives, or its pin, or what it hangs on is there and stays. A parent that is on
-- its way out waits for it. No pass looks at an owner that is over and had nothing left: it comes back as nobody's.
-- $1 now, $2 trusted_from, $3 worker, $4 kind, $5 handles, $6 change, $7 wall
-- statement: lost_restore
INSERT INTO resources (worker_id, kind, handle, owner_id, container_id, parent_id, container, parent, state, since_wall, entered, change,
                       present, pinned, pin_ttl_ms, pin_reason, bytes)
SELECT r.worker_id, r.kind, r.handle, CASE WHEN @{owner_is_live} THEN o.id END, c.id, p.id, r.container, r.parent, 'created',
       CAST($7 AS BIGINT), CAST($1 AS BIGINT), CAST($6 AS BIGINT), 1, r.pinned, r.pin_ttl_ms, r.pin_reason, r.bytes
FROM @each_text($5)
CROSS JOIN lost_resources r
LEFT JOIN owners o ON o.id = r.owner_id
LEFT JOIN resources c ON c.worker_id = r.worker_id AND c.kind = 0 AND c.handle = r.container AND c.state <> 'destroying'
LEFT JOIN resources p ON p.worker_id = r.worker_id AND p.kind = 1 AND p.handle = r.parent
WHERE r.worker_id = $3 AND r.kind = $4 AND r.handle = each.value AND r.is_over = 0
  AND (@{owner_is_live} OR @{is_pinned} OR c.id IS NOT NULL OR p.state <> 'destroying')
ON CONFLICT (worker_id, kind, handle) DO NOTHING
RETURNING handle

-- What hung on rows that came back hangs on them again.
-- statement: rehang_on_containers
UPDATE resources SET container_id = (
  SELECT c.id FROM resources c WHERE c.worker_id = resources.worker_id AND c.kind = 0 AND c.handle = resources.container)
WHERE worker_id = $1 AND container_id IS NULL AND container IS NOT NULL

-- statement: rehang_on_parents
UPDATE resources SET parent_id = (
  SELECT p.id FROM resources p WHERE p.worker_id = resources.worker_id AND p.kind = 1 AND p.handle = resources.parent)
WHERE worker_id = $1 AND parent_id IS NULL AND parent IS NOT NULL

-- Volumes without a row from which one that has a row was made. $2 change, $3 now, $4 wall
-- statement: support_return
INSERT INTO resources (worker_id, kind, handle, state, since_wall, entered, change, present, container, parent)
SELECT u.worker_id, u.kind, u.handle, 'created', CAST($4 AS BIGINT), CAST($3 AS BIGINT), CAST($2 AS BIGINT), 1, l.container, l.parent
FROM unknowns u LEFT JOIN lost_resources l ON l.worker_id = u.worker_id AND l.kind = u.kind AND l.handle = u.handle
WHERE u.worker_id = $1 AND u.kind = 1
  AND u.handle @in(SELECT k.parent FROM resources k WHERE k.worker_id = $1 AND k.parent_id IS NULL AND k.parent IS NOT NULL)
ON CONFLICT (worker_id, kind, handle) DO NOTHING
RETURNING handle

-- $2 handles of volumes
-- statement: support_known
DELETE FROM unknowns
WHERE id @in(SELECT (SELECT u.id FROM unknowns u WHERE u.worker_id = $1 AND u.kind = 1 AND u.handle = each.value) FROM @each_text($2))

-- What has a row again, by whatever way, is not lost any more. $3 handles
-- statement: lost_returned
DELETE FROM lost_resources
WHERE id @in(SELECT (SELECT l.id FROM lost_resources l JOIN resources r ON r.worker_id = l.worker_id AND r.kind = l.kind AND r.handle = l.handle
                     WHERE l.worker_id = $1 AND l.kind = $2 AND l.handle = each.value) FROM @each_text($3))

-- statement: lost_forget
DELETE FROM lost_resources WHERE worker_id = $1 AND kind = $2 AND handle = $3

-- $1 lost before that, $2 how many
-- statement: lost_trim
DELETE FROM lost_resources WHERE id @in(SELECT l.id FROM lost_resources l WHERE l.lost_at < CAST($1 AS BIGINT) ORDER BY l.lost_at LIMIT $2)

-- The present lineage, kept as it is until the transaction ends.
-- statement: lineage_lock
SELECT value FROM meta WHERE key = 'lineage' @for_update

-- statement: lineage_replace
INSERT INTO replaced_lineages (lineage) VALUES ($1) ON CONFLICT (lineage) DO NOTHING

-- Nothing of any worker counts until it begins anew.
-- statement: workers_begin_anew
UPDATE workers SET anew = 1, container_base = NULL, volume_base = NULL WHERE anew = 0

-- What hung on what, of marks that are about to be forgotten. $2 now
-- statement: lineage_remember_links
INSERT INTO lost_resources (worker_id, kind, handle, container, parent, lost_at, is_over)
SELECT r.worker_id, r.kind, r.handle, r.container, r.parent, CAST($2 AS BIGINT), 1
FROM resources r
WHERE r.worker_id = $1 AND r.state IN ('failed', 'destroying') AND (r.container IS NOT NULL OR r.parent IS NOT NULL)
ON CONFLICT (worker_id, kind, handle) DO UPDATE SET owner_id = NULL, container = excluded.container, parent = excluded.parent,
  pinned = NULL, pin_ttl_ms = NULL, pin_reason = NULL, bytes = NULL, lost_at = excluded.lost_at, is_over = 1

-- What the forgetful database had marked, or was about to, may have gone since, and its handles have new bearers: what of it is there is
-- as unknown as the rest.
-- statement: lineage_forget_marks
DELETE FROM resources WHERE worker_id = $1 AND state IN ('failed', 'destroying')

-- What it believes to be in the making may have been made since. It is taken for made, of any worker, so that no deadline ends what an
-- owner keeps alive; where it was not, it is missing.
-- statement: lineage_change_creating
UPDATE workers SET change = change + 1
WHERE EXISTS (SELECT 1 FROM resources r WHERE r.worker_id = workers.id AND r.state = 'creating')

-- $1 now, $2 wall
-- statement: lineage_trust_creating
UPDATE resources SET state = 'created', entered = CAST($1 AS BIGINT), since_wall = CAST($2 AS BIGINT),
  change = (SELECT w.change FROM workers w WHERE w.id = resources.worker_id)
WHERE state = 'creating'

-- statement: lineage_forget_unknowns
DELETE FROM unknowns WHERE worker_id = $1

-- The same of every worker, where what is unknown is adopted: one that proves no loss may have been given things meanwhile, too.
-- statement: lineage_forget_all_unknowns
DELETE FROM unknowns

-- Its first inventories are met as at first contact, with the operator's word ($2); whatever it held as the last inventory is no base.
-- $3 rows lost
-- statement: lineage_meet_anew
UPDATE workers SET existing = $2, change = change + 1, lost = lost + CAST($3 AS BIGINT),
  container_judged = -1, container_count = -1, volume_judged = -1, volume_count = -1,
  container_brake = NULL, container_brake_lifted = 0, volume_brake = NULL, volume_brake_lifted = 0
WHERE id = $1

-- statement: lineage_meet_all_to_adopt
UPDATE workers SET existing = 'adopt', change = change + 1,
  container_judged = -1, container_count = -1, volume_judged = -1, volume_count = -1,
  container_brake = NULL, container_brake_lifted = 0, volume_brake = NULL, volume_brake_lifted = 0
