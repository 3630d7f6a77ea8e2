-- What the server itself keeps: facts about the database, service time, claims on passes, tokens.

-- statement: meta_read
SELECT value FROM meta WHERE key = $1

-- statement: meta_create
INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING

-- statement: clock_read
SELECT served_ms, served_since FROM service_clock WHERE id = 1

-- Time moves forward under the claim that the caller holds, to $2, from a value that the caller has read or tried to write: said again
-- because an answer was lost, it moves once. A step that came late ($3) was a gap.
-- statement: clock_advance
UPDATE service_clock SET served_ms = $2, served_since = CASE WHEN CAST($3 AS INTEGER) = 1 THEN $2 ELSE served_since END
WHERE id = 1 AND served_ms BETWEEN $1 AND $2 AND EXISTS (SELECT 1 FROM claims WHERE name = $4 AND holder = $5 AND epoch = $6)
RETURNING served_ms, served_since

-- statement: clock_take_over
UPDATE service_clock SET served_since = served_ms
WHERE id = 1 AND EXISTS (SELECT 1 FROM claims WHERE name = $1 AND holder = $2 AND epoch = $3)
RETURNING served_ms, served_since

-- statement: claim_read
SELECT holder, epoch, beat FROM claims WHERE name = $1

-- statement: claim_create
INSERT INTO claims (name, holder, epoch, beat) VALUES ($1, $2, 1, 0) ON CONFLICT (name) DO NOTHING

-- Waits for every transaction that holds the claim (claim_hold): FOR UPDATE, and not the weaker lock that an UPDATE takes by itself.
-- statement: claim_take
UPDATE claims SET holder = $2, epoch = epoch + 1, beat = 0
WHERE name @in(SELECT c.name FROM claims c WHERE c.name = $1 AND c.epoch = $3 AND c.beat = $4 @for_update_of(c))
RETURNING epoch

-- statement: claim_beat
UPDATE claims SET beat = beat + 1 WHERE name = $1 AND holder = $2 AND epoch = $3 RETURNING beat

-- First statement of every transaction of a pass: holds the claim's row until the end, so that it cannot move on meanwhile. Its holder's
-- beat goes on beside it.
-- statement: claim_hold
SELECT epoch FROM claims WHERE name = $1 AND holder = $2 AND epoch = $3 @for_key_share

-- statement: token_create
INSERT INTO tokens (id, name, role, digest, created_wall) VALUES ($1, $2, $3, $4, $5)

-- statement: token_by_digest
SELECT id, name, role FROM tokens WHERE digest = $1

-- statement: token_list
SELECT id, name, role, created_wall FROM tokens WHERE id > $1 ORDER BY id LIMIT $2

-- statement: token_find
SELECT id, name, role, created_wall FROM tokens WHERE id = $1

-- statement: token_delete
DELETE FROM tokens WHERE id = $1 RETURNING id, name, role, created_wall

-- statement: token_admins
SELECT COUNT(*) FROM tokens WHERE role = 'admin'

-- Workers among those given that have an order to take: for syncs that are held while another server marks.
-- statement: workers_with_orders
SELECT w.name FROM @each_text($2) CROSS JOIN workers w
WHERE w.name = each.value AND EXISTS (SELECT 1 FROM resources r WHERE r.worker_id = w.id AND r.state = 'destroying' AND r.in_hand = 0
                                      AND r.retry_at <= CAST($1 AS BIGINT))

-- statement: meta_put
INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value

-- statement: meta_delete
DELETE FROM meta WHERE key = $1
