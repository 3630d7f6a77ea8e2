-- The fleet plane. Times ending in _wall are wall clock milliseconds, for people; every other time is service time (base/time.hpp).
-- A duration ends in _ms. Flags are 0 or 1. Kinds are 0 container, 1 volume.

CREATE TABLE meta (
  key @text PRIMARY KEY,
  value @text NOT NULL
);

-- How long servers have served, and the service time at which serving last began after a gap.
CREATE TABLE service_clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  served_ms BIGINT NOT NULL,
  served_since BIGINT NOT NULL
);
INSERT INTO service_clock (id, served_ms, served_since) VALUES (1, 1, 1);

-- Who may run a pass. Taken over by compare-and-set on (epoch, beat); whoever writes under a claim names its epoch.
CREATE TABLE claims (
  name @text PRIMARY KEY,
  holder @text NOT NULL,
  epoch BIGINT NOT NULL,
  beat BIGINT NOT NULL
);

CREATE TABLE tokens (
  id @text PRIMARY KEY,
  name @text NOT NULL,
  role @text NOT NULL,
  digest @text NOT NULL UNIQUE,
  created_wall BIGINT NOT NULL
);

CREATE TABLE workers (
  id @serial_key,
  name @text NOT NULL UNIQUE,
  state @text NOT NULL,
  intent @text,
  since_wall BIGINT NOT NULL,
  stalled_at BIGINT,
  ephemeral INTEGER NOT NULL,
  tags @text NOT NULL,
  existing @text NOT NULL,
  incarnation @text,
  session @text,
  started BIGINT NOT NULL DEFAULT 0,
  sequence BIGINT NOT NULL DEFAULT 0,
  synced BIGINT,
  synced_wall BIGINT,
  landed_session @text,
  -- The high-water mark: the highest change number of any row of this worker.
  change BIGINT NOT NULL DEFAULT 0,
  -- The last acknowledged inventory of each kind: the sequence it came with, its size and set digest, and the mark up to which
  -- rows have been judged by it.
  container_base BIGINT,
  container_count BIGINT NOT NULL DEFAULT 0,
  container_digest @text NOT NULL DEFAULT '00000000000000000000000000000000',
  container_judged BIGINT NOT NULL DEFAULT -1,
  volume_base BIGINT,
  volume_count BIGINT NOT NULL DEFAULT 0,
  volume_digest @text NOT NULL DEFAULT '00000000000000000000000000000000',
  volume_judged BIGINT NOT NULL DEFAULT -1,
  -- Rows of that kind with change numbers up to this one are of an earlier life of the machine (incarnation; for containers also boot):
  -- where they are missing there is nothing to wait for.
  container_former BIGINT NOT NULL DEFAULT 0,
  volume_former BIGINT NOT NULL DEFAULT 0,
  -- Why the kind is not judged, and whether the operator has lifted that for the next inventory.
  container_brake @text,
  container_brake_lifted INTEGER NOT NULL DEFAULT 0,
  volume_brake @text,
  volume_brake_lifted INTEGER NOT NULL DEFAULT 0,
  malformed @text NOT NULL DEFAULT '[]',
  unlisted @text NOT NULL DEFAULT '[]',
  disk_total BIGINT,
  disk_used BIGINT,
  frozen @text,
  boot @text,
  -- An incarnation that waits for the operator, and the one that may come next.
  held_incarnation @text,
  accepted_incarnation @text,
  -- The next session opens whatever its start counter says.
  session_accepted INTEGER NOT NULL DEFAULT 0,
  -- The last session that was refused as superseded: told once.
  refused_session @text,
  -- After a lineage was accepted: nothing of this worker counts until it begins anew, with full inventories and as_of 0.
  anew INTEGER NOT NULL DEFAULT 0,
  -- The ledger (C1): where every resource of this worker came from, and how those that are gone went.
  registered BIGINT NOT NULL DEFAULT 0,
  adopted BIGINT NOT NULL DEFAULT 0,
  unknown BIGINT NOT NULL DEFAULT 0,
  destroyed BIGINT NOT NULL DEFAULT 0,
  lost BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE worker_keys (
  key @text PRIMARY KEY,
  worker_id BIGINT NOT NULL REFERENCES workers (id) ON DELETE CASCADE
);
CREATE INDEX worker_keys_of_worker ON worker_keys (worker_id);

-- What stays of a deleted worker: its sessions remain fenced when the name is enrolled again, and its ledger still counts.
CREATE TABLE departed_workers (
  name @text PRIMARY KEY,
  incarnation @text,
  started BIGINT NOT NULL,
  registered BIGINT NOT NULL,
  adopted BIGINT NOT NULL,
  unknown BIGINT NOT NULL,
  destroyed BIGINT NOT NULL,
  lost BIGINT NOT NULL
);

-- Every session that ever opened, of workers that are gone too. `sequence` is its last, once another has superseded it. A session that
-- a worker was answered in and that is not here was forgotten (restored backup, lost failover).
CREATE TABLE sessions (
  id @serial_key,
  worker @text NOT NULL,
  session @text NOT NULL,
  incarnation @text NOT NULL,
  sequence BIGINT NOT NULL DEFAULT 0,
  UNIQUE (session, worker)
);
CREATE INDEX sessions_of_worker ON sessions (worker, id);

-- Lineages that the present one replaces.
CREATE TABLE replaced_lineages (
  id @serial_key,
  lineage @text NOT NULL UNIQUE
);

-- Workers that were answered by a control plane that knew more than this one, and what of theirs would be unknown.
CREATE TABLE regressed_workers (
  worker_id BIGINT PRIMARY KEY REFERENCES workers (id) ON DELETE CASCADE,
  since_wall BIGINT NOT NULL,
  reason @text NOT NULL,
  lineage @text NOT NULL,
  containers BIGINT NOT NULL DEFAULT 0,
  volumes BIGINT NOT NULL DEFAULT 0,
  names @text NOT NULL DEFAULT '[]'
);

CREATE TABLE owners (
  id @serial_key,
  name @text NOT NULL UNIQUE,
  kind @text NOT NULL,
  ttl_ms BIGINT,
  renewed BIGINT NOT NULL,
  interruptible INTEGER NOT NULL,
  labels @text NOT NULL,
  created_wall BIGINT NOT NULL,
  released BIGINT,
  released_wall BIGINT,
  release_reason @text,
  keep_ms BIGINT NOT NULL DEFAULT 0,
  -- Released, and every resource of it is destroying: nothing can come to it any more, so no pass looks at it again.
  settled INTEGER NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX owners_on_lease ON owners ((CAST(renewed + ttl_ms AS BIGINT))) WHERE released IS NULL AND ttl_ms IS NOT NULL;
CREATE INDEX owners_to_settle ON owners ((CAST(released + keep_ms AS BIGINT))) WHERE released IS NOT NULL AND settled = 0;

CREATE TABLE resources (
  id @serial_key,
  worker_id BIGINT NOT NULL REFERENCES workers (id),
  kind INTEGER NOT NULL,
  handle @text NOT NULL,
  owner_id BIGINT REFERENCES owners (id),
  container_id BIGINT REFERENCES resources (id) ON DELETE SET NULL,
  parent_id BIGINT REFERENCES resources (id) ON DELETE SET NULL,
  state @text NOT NULL,
  since_wall BIGINT NOT NULL,
  entered BIGINT NOT NULL,
  change BIGINT NOT NULL,
  -- The change number of the mark, while destroying.
  mark BIGINT,
  reason @text,
  -- In the last acknowledged inventory of its kind. A fact about that inventory, whatever its as_of.
  present INTEGER NOT NULL,
  -- Found under two roots: in no inventory, and yet there. Not judged.
  ambiguous INTEGER NOT NULL DEFAULT 0,
  missing_since BIGINT,
  missing_wall BIGINT,
  pinned BIGINT,
  pin_ttl_ms BIGINT,
  pin_reason @text,
  touched BIGINT,
  in_hand INTEGER NOT NULL DEFAULT 0,
  in_hand_since BIGINT,
  stuck INTEGER NOT NULL DEFAULT 0,
  attempts BIGINT NOT NULL DEFAULT 0,
  last_error @text,
  retry_at BIGINT NOT NULL DEFAULT 0,
  bytes BIGINT,
  UNIQUE (worker_id, kind, handle)
);
CREATE INDEX resources_of_owner ON resources (owner_id, state, worker_id) WHERE owner_id IS NOT NULL;
CREATE INDEX resources_of_container ON resources (container_id) WHERE container_id IS NOT NULL;
CREATE INDEX resources_of_parent ON resources (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX resources_alone ON resources (worker_id) WHERE state = 'created' AND owner_id IS NULL AND container_id IS NULL;
CREATE INDEX resources_destroying ON resources (worker_id, kind, mark, id) WHERE state = 'destroying';
CREATE INDEX resources_retrying ON resources (worker_id, retry_at) WHERE state = 'destroying' AND retry_at > 0;
CREATE INDEX resources_absent ON resources (worker_id, kind, change) WHERE present = 0;
CREATE INDEX resources_hung ON resources (container_id) WHERE state = 'created' AND owner_id IS NULL AND container_id IS NOT NULL;
CREATE INDEX resources_creating ON resources (worker_id, entered) WHERE state = 'creating';
CREATE INDEX resources_failed ON resources (worker_id) WHERE state = 'failed';
CREATE INDEX resources_missing ON resources (worker_id, missing_since) WHERE missing_since IS NOT NULL;
CREATE INDEX resources_ambiguous ON resources (worker_id) WHERE ambiguous = 1;
CREATE INDEX resources_in_hand ON resources (worker_id, kind) WHERE in_hand = 1;

-- In the last acknowledged inventory without a row. `change` is the worker's high-water mark when it was first seen so; its clock
-- (`since`) starts with the first inventory whose as_of covers that.
CREATE TABLE unknowns (
  id @serial_key,
  worker_id BIGINT NOT NULL REFERENCES workers (id) ON DELETE CASCADE,
  kind INTEGER NOT NULL,
  handle @text NOT NULL,
  change BIGINT NOT NULL,
  since BIGINT,
  -- It waits for the operator; or the operator has agreed that it goes, and no brake counts it.
  held INTEGER NOT NULL DEFAULT 0,
  agreed INTEGER NOT NULL DEFAULT 0,
  UNIQUE (worker_id, kind, handle)
);
CREATE INDEX unknowns_unjudged ON unknowns (worker_id, kind, change) WHERE since IS NULL;
CREATE INDEX unknowns_waiting ON unknowns (worker_id, kind, handle) WHERE since IS NOT NULL AND held = 0;
CREATE INDEX unknowns_held ON unknowns (worker_id) WHERE held = 1;

-- Rows that were lost because they were missing, for a while: what comes back and is still wanted gets its row back.
CREATE TABLE lost_resources (
  id @serial_key,
  worker_id BIGINT NOT NULL REFERENCES workers (id) ON DELETE CASCADE,
  kind INTEGER NOT NULL,
  handle @text NOT NULL,
  owner_id BIGINT,
  container @text,
  parent @text,
  pinned BIGINT,
  pin_ttl_ms BIGINT,
  pin_reason @text,
  bytes BIGINT,
  lost_at BIGINT NOT NULL,
  UNIQUE (worker_id, kind, handle)
);
CREATE INDEX lost_resources_by_age ON lost_resources (lost_at);

-- The audit trail. Numbers are in commit order: whoever appends takes the turn first (statement events_turn).
CREATE TABLE events (
  seq @serial_key,
  at_wall BIGINT NOT NULL,
  actor @text NOT NULL,
  action @text NOT NULL,
  worker @text,
  kind INTEGER,
  handle @text,
  owner @text,
  state_from @text,
  state_to @text,
  reason @text
);
CREATE INDEX events_by_age ON events (at_wall);

-- What the collectors would do, as somebody asked (fleet/plan.hpp): JSON, with what guards each item.
CREATE TABLE plans (
  id @text PRIMARY KEY,
  made BIGINT NOT NULL,
  items @text NOT NULL
);
