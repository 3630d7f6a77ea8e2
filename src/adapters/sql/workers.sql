-- Workers. Whoever changes a row of a worker locks the worker's row first (worker_lock) and draws the next change number with it, so
-- that commit order is number order.

-- fragment: worker_columns
w.id, w.name, w.state, w.intent, w.since_wall, w.incarnation, w.session, w.started, w.sequence, w.synced, w.synced_wall, w.ephemeral,
w.tags, w.existing, w.change, w.container_base, w.container_count, w.container_digest, w.container_judged, w.volume_base, w.volume_count,
w.volume_digest, w.volume_judged, w.malformed, w.disk_total, w.disk_used, w.frozen, w.landed_session, w.stalled_at,
w.container_former, w.container_brake, w.container_brake_lifted, w.volume_former, w.volume_brake, w.volume_brake_lifted,
w.unlisted, w.boot, w.held_incarnation, w.accepted_incarnation, w.session_accepted, w.refused_session, w.anew,
(SELECT g.reason FROM regressed_workers g WHERE g.worker_id = w.id)

-- statement: worker_lock
SELECT @{worker_columns} FROM workers w WHERE w.name = $1 @for_update_of(w)

-- statement: worker_lock_by_id
SELECT @{worker_columns} FROM workers w WHERE w.id = $1 @for_update_of(w)

-- The key's row is locked too, so that a key taken away while a sync waits is not used any more.
-- statement: worker_lock_by_key
SELECT @{worker_columns} FROM worker_keys k JOIN workers w ON w.id = k.worker_id WHERE k.key = $1
@for_update_of(w) @for_share_of(k)

-- statement: worker_of_key
SELECT w.name FROM worker_keys k JOIN workers w ON w.id = k.worker_id WHERE k.key = $1

-- statement: worker_find
SELECT @{worker_columns} FROM workers w WHERE w.name = $1

-- statement: worker_list
SELECT @{worker_columns} FROM workers w WHERE w.name > $1 ORDER BY w.name LIMIT $2

-- What each of the workers in $1 (a list of ids, as text) holds; a worker that holds nothing has no row.
-- statement: worker_counts
SELECT worker_id, SUM(CASE WHEN kind = 0 THEN 1 ELSE 0 END), SUM(CASE WHEN kind = 1 THEN 1 ELSE 0 END),
       SUM(CASE WHEN state = 'destroying' THEN 1 ELSE 0 END), MIN(CASE WHEN state = 'destroying' THEN entered END),
       SUM(CASE WHEN missing_since IS NOT NULL THEN 1 ELSE 0 END)
FROM resources WHERE worker_id IN (SELECT CAST(each.value AS BIGINT) FROM @each_text($1)) GROUP BY worker_id

-- statement: worker_unknown_counts
SELECT worker_id, SUM(1 - held), SUM(held)
FROM unknowns WHERE worker_id IN (SELECT CAST(each.value AS BIGINT) FROM @each_text($1)) GROUP BY worker_id

-- statement: worker_keys
SELECT worker_id, key FROM worker_keys WHERE worker_id IN (SELECT CAST(each.value AS BIGINT) FROM @each_text($1)) ORDER BY key

-- statement: worker_key_owner
SELECT w.name FROM worker_keys k JOIN workers w ON w.id = k.worker_id WHERE k.key = $1

-- statement: worker_key_add
INSERT INTO worker_keys (key, worker_id) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING

-- Keys that stay are not touched: a sync that waits for one is not refused. $2 keys
-- statement: worker_keys_drop_others
DELETE FROM worker_keys WHERE worker_id = $1 AND key NOT IN (SELECT each.value FROM @each_text($2))

-- A name enrolled again starts behind its former life: sessions of the old worker stay fenced.
-- statement: worker_insert
INSERT INTO workers (name, state, since_wall, ephemeral, tags, existing, incarnation, started)
SELECT $1, 'running', $2, $3, $4, $5, (SELECT d.incarnation FROM departed_workers d WHERE d.name = $1),
       COALESCE((SELECT d.started FROM departed_workers d WHERE d.name = $1), 0)
ON CONFLICT (name) DO NOTHING RETURNING id

-- statement: worker_update
UPDATE workers SET ephemeral = $2, tags = $3, existing = $4 WHERE id = $1

-- statement: worker_set_state
UPDATE workers SET state = $2, intent = $3, since_wall = $4, stalled_at = $5, landed_session = $6 WHERE id = $1

-- statement: worker_draw_change
UPDATE workers SET change = change + 1 WHERE id = $1 RETURNING change

-- statement: worker_add_registered
UPDATE workers SET change = change + 1, registered = registered + 1 WHERE id = $1 RETURNING change

-- statement: worker_heartbeat
UPDATE workers SET synced = $2, synced_wall = $3 WHERE id = $1

-- statement: worker_freeze
UPDATE workers SET frozen = $2 WHERE id = $1

-- statement: worker_lose_resources
DELETE FROM resources WHERE worker_id = $1

-- statement: worker_depart
INSERT INTO departed_workers (name, incarnation, started, registered, adopted, unknown, destroyed, lost)
SELECT name, incarnation, started, registered, adopted, unknown, destroyed, lost + CAST($2 AS BIGINT) FROM workers WHERE id = $1
ON CONFLICT (name) DO UPDATE SET incarnation = excluded.incarnation, started = excluded.started,
  registered = departed_workers.registered + excluded.registered, adopted = departed_workers.adopted + excluded.adopted,
  unknown = departed_workers.unknown + excluded.unknown, destroyed = departed_workers.destroyed + excluded.destroyed,
  lost = departed_workers.lost + excluded.lost

-- statement: worker_delete
DELETE FROM workers WHERE id = $1

-- A live non-interruptible owner with a container row keeps a worker from being drained. $1 now, $2 trusted_from.
-- statement: worker_busy_owners
SELECT o.name FROM resources r JOIN owners o ON o.id = r.owner_id
WHERE r.worker_id = $3 AND r.kind = 0 AND o.interruptible = 0 AND @{owner_is_live}
ORDER BY o.name LIMIT 1

-- C1 over the whole database: where everything came from, and where it is.
-- statement: ledger_totals
SELECT (SELECT COALESCE(SUM(registered + adopted + unknown), 0) FROM workers) +
       (SELECT COALESCE(SUM(registered + adopted + unknown), 0) FROM departed_workers),
       (SELECT COALESCE(SUM(destroyed + lost), 0) FROM workers) + (SELECT COALESCE(SUM(destroyed + lost), 0) FROM departed_workers),
       (SELECT COUNT(*) FROM resources)

-- statement: count_resources
SELECT kind, state, COUNT(*), MIN(CASE WHEN state = 'destroying' THEN entered END) FROM resources GROUP BY kind, state

-- statement: count_workers
SELECT state, COUNT(*) FROM workers GROUP BY state
