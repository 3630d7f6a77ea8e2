-- Drives of the archive, as they have registered themselves, and what their operator wants of them.

CREATE TABLE drives (
  name @text PRIMARY KEY,
  -- up or down; who drives obeys, nothing here enforces it.
  desired @text NOT NULL,
  reason @text NOT NULL,
  since_wall BIGINT NOT NULL
);

ALTER TABLE events ADD COLUMN drive @text;
