-- A row says by handle what it hangs on, so that the link outlives that row: what is lost, or forgotten after a restore, and comes back
-- has what hung on it hanging on it again.
ALTER TABLE resources ADD COLUMN container @text;
ALTER TABLE resources ADD COLUMN parent @text;
UPDATE resources SET container = (SELECT c.handle FROM resources c WHERE c.id = resources.container_id),
  parent = (SELECT p.handle FROM resources p WHERE p.id = resources.parent_id)
WHERE container_id IS NOT NULL OR parent_id IS NOT NULL;
CREATE INDEX resources_off_container ON resources (worker_id, container) WHERE container_id IS NULL AND container IS NOT NULL;
CREATE INDEX resources_off_parent ON resources (worker_id, parent) WHERE parent_id IS NULL AND parent IS NOT NULL;

-- Its end had been decided when the database was put back: it comes back by adoption alone, whoever owned it.
ALTER TABLE lost_resources ADD COLUMN is_over INTEGER NOT NULL DEFAULT 0;
