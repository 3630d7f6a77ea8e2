-- Plans of what the collectors would do: kept a bounded time and number, in the database, so that any server can apply one.

-- statement: plan_create
INSERT INTO plans (id, made, items) VALUES ($1, $2, $3)

-- $2 made before that: too old
-- statement: plan_read
SELECT items FROM plans WHERE id = $1 AND made >= $2

-- $1 made before that, $2 how many stay, $3 how many may go
-- statement: plans_trim
DELETE FROM plans
WHERE made < CAST($1 AS BIGINT) OR id @in(SELECT x.id FROM (SELECT p.id FROM plans p ORDER BY p.made DESC, p.id LIMIT $3 OFFSET $2) x)
