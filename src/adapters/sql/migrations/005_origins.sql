-- How many requests were ever put into each segment that was made for them, their origin: their ordinals go from 1 to that.

CREATE TABLE origins (
  -- <epoch>-<number>
  name @text PRIMARY KEY,
  requests BIGINT NOT NULL,
  -- When it was raised last.
  raised_wall BIGINT NOT NULL
);

-- Requests of origins of which nothing is left; what ended before there were origins is among them.
ALTER TABLE ended_counts ADD COLUMN folded BIGINT NOT NULL DEFAULT 0;
UPDATE ended_counts SET folded = done + cancelled + removed;
