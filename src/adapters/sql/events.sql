-- The audit trail.

-- statement: events_turn
@events_turn

-- statement: events_append
INSERT INTO events (at_wall, actor, action, worker, kind, handle, owner, state_from, state_to, reason, tape, file,
                    policy, drive)
SELECT CAST($1 AS BIGINT), $2, each.value ->> 'action', each.value ->> 'worker', CAST(each.value ->> 'kind' AS INTEGER),
       each.value ->> 'handle', each.value ->> 'owner', each.value ->> 'from', each.value ->> 'to', each.value ->> 'reason',
       each.value ->> 'tape', each.value ->> 'file', each.value ->> 'policy', each.value ->> 'drive'
FROM @each($3)

-- statement: events_after
SELECT seq, at_wall, actor, action, worker, kind, handle, owner, state_from, state_to, reason, tape, file, policy, drive
FROM events WHERE seq > $1 ORDER BY seq LIMIT $2

-- statement: events_trim
DELETE FROM events WHERE seq @in(
  SELECT old.seq FROM (SELECT seq FROM events WHERE at_wall < $1 ORDER BY at_wall LIMIT $3) old
  UNION
  SELECT over.seq FROM (SELECT seq FROM events WHERE seq <= (SELECT MAX(seq) FROM events) - CAST($2 AS BIGINT) ORDER BY seq LIMIT $3) over
  LIMIT $3)
