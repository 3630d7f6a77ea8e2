-- The archive plane's catalogue. Who changes a tape, a file, a policy or a drive locks its row first; what joins a tape holds it
-- (tapes_hold), so that it is not removed meanwhile.

-- fragment: tape_columns
t.id, t.vid, t.pool, t.library, t.state, t.reason, t.since_wall, t.change, t.is_full

-- statement: tape_find
SELECT @{tape_columns} FROM tapes t WHERE t.vid = $1

-- statement: tape_lock
SELECT @{tape_columns} FROM tapes t WHERE t.vid = $1 @for_update_of(t)

-- statement: tape_list
SELECT @{tape_columns} FROM tapes t WHERE t.vid > $1 ORDER BY t.vid LIMIT $2

-- $1 a list of VIDs
-- statement: tapes_find
SELECT @{tape_columns} FROM tapes t WHERE t.vid @in(SELECT each.value FROM @each_text($1)) ORDER BY t.vid

-- $1 a list of states
-- statement: tapes_in_states
SELECT @{tape_columns} FROM tapes t WHERE t.state @in(SELECT each.value FROM @each_text($1)) ORDER BY t.vid

-- statement: tape_insert
INSERT INTO tapes (vid, pool, library, state, reason, since_wall, is_full) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (vid) DO NOTHING

-- statement: tape_set_state
UPDATE tapes SET state = $2, reason = $3, since_wall = $4, change = change + 1 WHERE id = $1

-- statement: tape_set_reason
UPDATE tapes SET reason = $2 WHERE id = $1

-- Only during the stay in `$4` that began with change `$5`.
-- statement: tape_finish
UPDATE tapes SET state = $2, since_wall = $3, change = change + 1 WHERE vid = $1 AND state = $4 AND change = $5 RETURNING reason

-- statement: tape_delete
DELETE FROM tapes WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM copies c WHERE c.tape_id = $1)

-- $1 a list of VIDs
-- statement: tapes_hold
SELECT t.id, t.vid FROM tapes t WHERE t.vid @in(SELECT each.value FROM @each_text($1)) ORDER BY t.vid @for_key_share

-- fragment: file_columns
f.id, f.name, f.size, f.checksum, f.created_wall

-- statement: file_find
SELECT @{file_columns} FROM files f WHERE f.name = $1

-- statement: file_lock
SELECT @{file_columns} FROM files f WHERE f.name = $1 @for_update_of(f)

-- $1 a list of ids as people know them
-- statement: files_find
SELECT @{file_columns} FROM files f WHERE f.name @in(SELECT each.value FROM @each_text($1))

-- statement: file_list
SELECT @{file_columns} FROM files f WHERE f.name > $1 ORDER BY f.name LIMIT $2

-- In the order in which they lie on the tape. $1 VID, $2 after which fseq, $3 how many
-- statement: file_list_of_tape
SELECT @{file_columns}, c.fseq FROM copies c CROSS JOIN files f
WHERE c.tape_id = (SELECT t.id FROM tapes t WHERE t.vid = $1) AND c.fseq > $2 AND f.id = c.file_id
ORDER BY c.fseq LIMIT $3

-- $1 a list of row ids, as texts
-- statement: copies_of
SELECT c.file_id, t.vid, c.fseq FROM copies c CROSS JOIN tapes t
WHERE c.file_id @in(SELECT CAST(each.value AS BIGINT) FROM @each_text($1)) AND t.id = c.tape_id
ORDER BY c.file_id, c.position

-- Which of these places on tapes are taken, and by which file; null for a place that is free. In the order of $1, [{tape, fseq}]
-- statement: copies_at
SELECT (SELECT (SELECT f.name FROM files f WHERE f.id = c.file_id) FROM copies c
        WHERE c.tape_id = CAST(each.value ->> 'tape' AS BIGINT) AND c.fseq = CAST(each.value ->> 'fseq' AS BIGINT))
FROM @each($1)

-- $1 [{id, size, checksum}], $2 wall
-- statement: files_insert
INSERT INTO files (name, size, checksum, created_wall)
SELECT each.value ->> 'id', CAST(each.value ->> 'size' AS BIGINT), each.value ->> 'checksum', CAST($2 AS BIGINT) FROM @each($1)
WHERE 1 = 1
ON CONFLICT (name) DO NOTHING RETURNING id, name

-- $1 [{file, position, tape, fseq}]
-- statement: copies_insert
INSERT INTO copies (file_id, position, tape_id, fseq)
SELECT CAST(each.value ->> 'file' AS BIGINT), CAST(each.value ->> 'position' AS INTEGER), CAST(each.value ->> 'tape' AS BIGINT),
       CAST(each.value ->> 'fseq' AS BIGINT)
FROM @each($1) WHERE 1 = 1
ON CONFLICT (tape_id, fseq) DO NOTHING

-- statement: copies_delete
DELETE FROM copies WHERE file_id = $1

-- statement: file_delete
DELETE FROM files WHERE id = $1

-- fragment: policy_columns
p.name, p.priority, p.min_age_s, p.min_files, p.min_bytes

-- statement: policy_find
SELECT @{policy_columns} FROM policies p WHERE p.name = $1

-- statement: policy_lock
SELECT @{policy_columns} FROM policies p WHERE p.name = $1 @for_update_of(p)

-- statement: policy_list
SELECT @{policy_columns} FROM policies p WHERE p.name > $1 ORDER BY p.name LIMIT $2

-- statement: policy_insert
INSERT INTO policies (name, priority, min_age_s, min_files, min_bytes) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING

-- statement: policy_update
UPDATE policies SET priority = $2, min_age_s = $3, min_files = $4, min_bytes = $5 WHERE name = $1

-- statement: policy_delete
DELETE FROM policies WHERE name = $1

-- fragment: drive_columns
d.name, d.desired, d.reason, d.since_wall

-- statement: drive_find
SELECT @{drive_columns} FROM drives d WHERE d.name = $1

-- statement: drive_lock
SELECT @{drive_columns} FROM drives d WHERE d.name = $1 @for_update_of(d)

-- statement: drive_list
SELECT @{drive_columns} FROM drives d WHERE d.name > $1 ORDER BY d.name LIMIT $2

-- statement: drive_insert
INSERT INTO drives (name, desired, reason, since_wall) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING

-- statement: drive_update
UPDATE drives SET desired = $2, reason = $3, since_wall = $4 WHERE name = $1

-- Only those that are not there yet, and what they are. $1 [{id, how, reported, request}], $2 wall
-- statement: ended_insert
INSERT INTO ended_requests (name, how, reported, request, at_wall)
SELECT each.value ->> 'id', each.value ->> 'how', CAST(each.value ->> 'reported' AS INTEGER), each.value ->> 'request', CAST($2 AS BIGINT)
FROM @each($1) WHERE 1 = 1
ON CONFLICT (name) DO NOTHING RETURNING name, how

-- statement: ended_count
UPDATE ended_counts SET done = done + CAST($1 AS BIGINT), cancelled = cancelled + CAST($2 AS BIGINT),
                        removed = removed + CAST($3 AS BIGINT), kept = kept + CAST($4 AS BIGINT)
WHERE id = 1

-- statement: ended_counts
SELECT c.done, c.cancelled, c.removed FROM ended_counts c WHERE c.id = 1

-- statement: ended_kept_lock
SELECT c.kept FROM ended_counts c WHERE c.id = 1 @for_update_of(c)

-- fragment: ended_columns
e.name, e.how, e.reported, e.request, e.at_wall

-- $1 a list of ids
-- statement: ended_find
SELECT @{ended_columns} FROM ended_requests e WHERE e.name @in(SELECT each.value FROM @each_text($1))

-- statement: ended_list
SELECT @{ended_columns} FROM ended_requests e WHERE e.name > $1 ORDER BY e.name LIMIT $2

-- How those of these have ended that have. $1 a list of ids
-- statement: ended_how
SELECT e.how FROM ended_requests e WHERE e.name @in(SELECT each.value FROM @each_text($1))

-- At most $3 of those that ended before $1, and the $2 oldest of all.
-- statement: ended_prune
DELETE FROM ended_requests WHERE seq @in(
  SELECT old.seq FROM (SELECT seq FROM ended_requests WHERE at_wall < $1 ORDER BY at_wall, seq LIMIT $3) old
  UNION
  SELECT over.seq FROM (SELECT seq FROM ended_requests ORDER BY at_wall, seq LIMIT CAST($2 AS BIGINT)) over)

-- Never lowers one. $1 [{name, requests}], $2 wall
-- statement: origins_raise
INSERT INTO origins (name, requests, raised_wall)
SELECT each.value ->> 'name', CAST(each.value ->> 'requests' AS BIGINT), CAST($2 AS BIGINT) FROM @each($1) WHERE 1 = 1
ON CONFLICT (name) DO UPDATE SET requests = excluded.requests, raised_wall = excluded.raised_wall
WHERE origins.requests < excluded.requests

-- Requests of all origins, those that are folded included.
-- statement: origins_sum
SELECT CAST(coalesce((SELECT sum(o.requests) FROM origins o), 0) AS BIGINT) + c.folded FROM ended_counts c WHERE c.id = 1

-- $1 a list of names
-- statement: origins_find
SELECT o.name, o.requests FROM origins o WHERE o.name @in(SELECT each.value FROM @each_text($1))

-- Those that were raised last before $1. $2 a name, $3 how many
-- statement: origins_old
SELECT o.name FROM origins o WHERE o.raised_wall < $1 AND o.name > $2 ORDER BY o.name LIMIT $3

-- Of these names those that were raised last before $2.
-- statement: origins_remove
DELETE FROM origins WHERE name @in(SELECT each.value FROM @each_text($1)) AND raised_wall < $2 RETURNING requests

-- statement: origins_fold
UPDATE ended_counts SET folded = folded + CAST($1 AS BIGINT) WHERE id = 1

-- Those of these that there are, and they stay until the transaction ends. $1 a list of ids as people know them
-- statement: files_hold
SELECT f.name FROM files f WHERE f.name @in(SELECT each.value FROM @each_text($1)) ORDER BY f.name @for_key_share

-- $1 a list of names
-- statement: policies_find
SELECT @{policy_columns} FROM policies p WHERE p.name @in(SELECT each.value FROM @each_text($1)) ORDER BY p.name
