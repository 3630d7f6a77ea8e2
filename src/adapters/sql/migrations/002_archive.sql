-- The archive plane's catalogue: tapes, files and where their copies are, policies. Times ending in _wall are wall clock milliseconds, for
-- people.

CREATE TABLE tapes (
  id @serial_key,
  vid @text NOT NULL UNIQUE,
  pool @text NOT NULL,
  library @text NOT NULL,
  -- X_PENDING is the durable intent to clean up the tape's queue (archive/tape_states.hpp).
  state @text NOT NULL,
  reason @text NOT NULL,
  since_wall BIGINT NOT NULL,
  -- Counts the changes of state: what was found out during one stay in a state says nothing about a later one.
  change BIGINT NOT NULL DEFAULT 1,
  is_full INTEGER NOT NULL
);
CREATE INDEX tapes_by_state ON tapes (state, vid);

CREATE TABLE files (
  id @serial_key,
  name @text NOT NULL UNIQUE,
  size BIGINT NOT NULL,
  checksum @text NOT NULL,
  created_wall BIGINT NOT NULL
);

-- Positions count from 1. A place on a tape holds one file.
CREATE TABLE copies (
  file_id BIGINT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tape_id BIGINT NOT NULL REFERENCES tapes (id),
  fseq BIGINT NOT NULL,
  PRIMARY KEY (file_id, position),
  UNIQUE (tape_id, fseq)
);

CREATE TABLE policies (
  name @text PRIMARY KEY,
  priority BIGINT NOT NULL,
  min_age_s BIGINT NOT NULL,
  min_files BIGINT NOT NULL,
  min_bytes BIGINT NOT NULL
);

ALTER TABLE events ADD COLUMN tape @text;
ALTER TABLE events ADD COLUMN file @text;
ALTER TABLE events ADD COLUMN policy @text;
