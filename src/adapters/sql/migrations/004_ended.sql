-- Requests that have ended, for people, for a while; and how many there ever were, for good.

CREATE TABLE ended_requests (
  seq @serial_key,
  name @text NOT NULL UNIQUE,
  -- done, cancelled or removed
  how @text NOT NULL,
  reported INTEGER NOT NULL,
  -- The request as it was at the end, as it is stored in segments (archive/objects.proto), in base 64.
  request @text NOT NULL,
  at_wall BIGINT NOT NULL
);
CREATE INDEX ended_requests_by_age ON ended_requests (at_wall, seq);

-- One row. Changed in the transactions that add and forget requests.
CREATE TABLE ended_counts (
  id BIGINT PRIMARY KEY,
  done BIGINT NOT NULL,
  cancelled BIGINT NOT NULL,
  removed BIGINT NOT NULL,
  -- How many are in ended_requests now.
  kept BIGINT NOT NULL
);
INSERT INTO ended_counts (id, done, cancelled, removed, kept) VALUES (1, 0, 0, 0, 0);
