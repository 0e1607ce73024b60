// The tables of the store's database. The number goes up with every change, and database.cc knows how to get
// there.
#pragma once

namespace berth::store {

inline constexpr int kSchemaVersion = 3;

// What version 3 has and version 2 had not.
inline constexpr const char* kSchema3 = R"sql(
-- How often the restart policy has started it since a person did, and whether a person has stopped it since.
ALTER TABLE containers ADD COLUMN restart_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE containers ADD COLUMN stopped_by_user INTEGER NOT NULL DEFAULT 0;
-- How long the last of these restarts was waited for, in milliseconds; the next is waited for longer.
ALTER TABLE containers ADD COLUMN restart_delay INTEGER NOT NULL DEFAULT 0;
-- Whether the kernel has killed a process of its last run for want of memory.
ALTER TABLE containers ADD COLUMN oom_killed INTEGER NOT NULL DEFAULT 0;

-- Networks that containers are attached to. Those of a project are nobody else's; the project "" stands for none.
CREATE TABLE networks (
  id TEXT PRIMARY KEY,            -- 64 hexadecimal digits
  project TEXT NOT NULL, name TEXT NOT NULL,
  bridge TEXT NOT NULL UNIQUE,    -- its interface on the host
  created_at INTEGER NOT NULL,    -- seconds since 1970
  internal INTEGER NOT NULL, dns INTEGER NOT NULL,
  mtu INTEGER NOT NULL,           -- 0: the kernel's
  labels TEXT NOT NULL,           -- JSON object
  UNIQUE (project, name)
) WITHOUT ROWID;
-- At most one of a family. Addresses are 32 hexadecimal digits (net::Address::key), so that they compare as texts.
CREATE TABLE network_subnets (
  network_id TEXT NOT NULL, v6 INTEGER NOT NULL, first TEXT NOT NULL, prefix INTEGER NOT NULL,
  gateway TEXT NOT NULL,
  range_first TEXT NOT NULL, range_last TEXT NOT NULL,  -- what containers get that do not ask for an address
  given TEXT NOT NULL DEFAULT '',                       -- the address that was given out last
  PRIMARY KEY (network_id, v6)
) WITHOUT ROWID;
-- Which containers are in which networks; address4, address6 and mac only while the container runs. What it asked
-- for (--ip, --ip6) is not given to others meanwhile.
CREATE TABLE network_attachments (
  container_id TEXT NOT NULL, network_id TEXT NOT NULL, asked4 TEXT, asked6 TEXT,
  address4 TEXT, address6 TEXT, mac TEXT,
  aliases TEXT NOT NULL DEFAULT '',      -- more names for the name server, with commas between
  nameservers TEXT NOT NULL DEFAULT '',  -- likewise, whom that asks for this container; none: the host's
  PRIMARY KEY (container_id, network_id)
) WITHOUT ROWID;
CREATE INDEX network_attachments_by_network ON network_attachments (network_id);
CREATE UNIQUE INDEX network_addresses4 ON network_attachments (network_id, address4) WHERE address4 IS NOT NULL;
CREATE UNIQUE INDEX network_addresses6 ON network_attachments (network_id, address6) WHERE address6 IS NOT NULL;
CREATE UNIQUE INDEX network_macs ON network_attachments (network_id, mac) WHERE mac IS NOT NULL;
-- The host's ports that containers publish, as ranges with both ends included.
CREATE TABLE published_ports (
  container_id TEXT NOT NULL, protocol TEXT NOT NULL,
  host TEXT NOT NULL,             -- an address of the host's, "" for all
  first INTEGER NOT NULL, last INTEGER NOT NULL,
  held INTEGER NOT NULL DEFAULT 0,  -- 1 while the container runs: then nobody else gets them
  PRIMARY KEY (container_id, protocol, host, first)
) WITHOUT ROWID;
CREATE INDEX published_ports_by_number ON published_ports (protocol, first, last);
-- What a container has of its networks only while it runs goes in the transaction that records its end, whoever
-- records it.
CREATE TRIGGER container_ended AFTER UPDATE OF state ON containers WHEN NEW.state IN ('exited', 'removing') BEGIN
  UPDATE network_attachments SET address4 = NULL, address6 = NULL, mac = NULL WHERE container_id = NEW.id;
  UPDATE published_ports SET held = 0 WHERE container_id = NEW.id;
END;
CREATE TRIGGER container_deleted AFTER DELETE ON containers BEGIN
  DELETE FROM network_attachments WHERE container_id = OLD.id;
  DELETE FROM published_ports WHERE container_id = OLD.id;
END;
)sql";

// What version 2 has and version 1 had not; a new database gets version 1 and then these.
inline constexpr const char* kSchema2 = R"sql(
-- The maps as they are written to uid_map and gid_map, decided when the container is made; NULL for the host's IDs.
ALTER TABLE containers ADD COLUMN uid_map TEXT;
ALTER TABLE containers ADD COLUMN gid_map TEXT;
ALTER TABLE containers ADD COLUMN project TEXT;
UPDATE containers SET uid_map = (SELECT '0 ' || (number * 65536) || ' 65536' || char(10) FROM banks
                                 WHERE owner_kind = 'container' AND owner = containers.id);
UPDATE containers SET gid_map = uid_map;
CREATE INDEX containers_by_project ON containers (project);

-- Banks that a container uses and does not own: named ones (owner_kind "name"), a project's, another container's.
CREATE TABLE container_banks (
  container_id TEXT NOT NULL, bank INTEGER NOT NULL, PRIMARY KEY (container_id, bank)
) WITHOUT ROWID;
CREATE INDEX container_banks_by_bank ON container_banks (bank);
-- What the last holder was called, as a container's ID says little once it is gone.
ALTER TABLE banks ADD COLUMN last_owner_name TEXT;
-- The first 1,024 banks are kept for those who ask for a number (ledger/named_banks.h): others get them last.
INSERT INTO fresh_banks SELECT 1032, last FROM fresh_banks WHERE first < 1032 AND last >= 1032;
UPDATE fresh_banks SET last = 1031 WHERE first < 1032 AND last >= 1032;
CREATE INDEX banks_resting_unnumbered ON banks (freed_at) WHERE owner IS NULL AND number >= 1032;
-- Host ranges that a container maps outside all banks (--uidmap), so that no other gets them.
CREATE TABLE container_ranges (
  container_id TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (container_id, first, last)
) WITHOUT ROWID;

-- A project's assigned IDs begin at 1000000000 + 10000 * number (ledger/projects.h).
CREATE TABLE projects (
  name TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, created_at INTEGER NOT NULL,  -- seconds since 1970
  policy TEXT NOT NULL,
  quota INTEGER,                  -- containers at most; NULL for no limit
  labels TEXT NOT NULL,           -- JSON object
  annotations TEXT NOT NULL       -- JSON object
) WITHOUT ROWID;
-- Numbers of projects that are gone. They rest as banks do.
CREATE TABLE freed_project_numbers (
  number INTEGER PRIMARY KEY, freed_at INTEGER NOT NULL,  -- nanoseconds since 1970
  project TEXT NOT NULL
);
CREATE INDEX freed_project_numbers_by_time ON freed_project_numbers (freed_at);

-- Whether the volume has taken over what the image has at its place.
ALTER TABLE volumes ADD COLUMN populated INTEGER NOT NULL DEFAULT 0;

-- Copies of images whose IDs are shifted on disk, for file systems that can't map them: translated/<directory>/.
CREATE TABLE translations (
  image_id TEXT NOT NULL, map TEXT NOT NULL, directory TEXT NOT NULL UNIQUE, size INTEGER NOT NULL,
  files INTEGER NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (image_id, map)
) WITHOUT ROWID;
)sql";

inline constexpr const char* kSchema = R"sql(
-- An image is its configuration: id is the digest of that ("sha256:…"). config and manifest are the exact documents.
CREATE TABLE images (
  id TEXT PRIMARY KEY, manifest_digest TEXT NOT NULL, manifest TEXT NOT NULL, config TEXT NOT NULL,
  size INTEGER NOT NULL,          -- bytes unpacked
  pulled_at INTEGER NOT NULL,     -- seconds since 1970
  -- Of the image's merged root file system: its root directory, and the files as found (NULL where there is none).
  root_mode INTEGER NOT NULL, root_uid INTEGER NOT NULL, root_gid INTEGER NOT NULL,
  passwd TEXT, "group" TEXT
) WITHOUT ROWID;
-- What people call an image: a full reference, "docker.io/library/busybox:latest" or "localhost/demo:latest".
CREATE TABLE image_names (name TEXT PRIMARY KEY, image_id TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX image_names_by_image ON image_names (image_id);
-- An unpacked layer: layers/<directory>/ in the store. The name is the hex of the diff_id, or "chain-" and the hex of
-- the chain ID where directories that the layer's tar does not list have the attributes that layers below give them.
CREATE TABLE layers (
  directory TEXT PRIMARY KEY, diff_id TEXT NOT NULL, size INTEGER NOT NULL, files INTEGER NOT NULL,
  lists_root INTEGER NOT NULL,    -- the tar has an entry for the root directory, so its attributes are the layer's
  opaque_root INTEGER NOT NULL    -- nothing of the layers below shows
) WITHOUT ROWID;
CREATE INDEX layers_by_diff ON layers (diff_id);
-- The layers as the manifest lists them; position 0 is the lowest. blob is the digest of the compressed tar in blobs/.
-- directory is NULL where the layer adds nothing to the stack: it is under an opaque root, or comes again higher up.
CREATE TABLE image_layers (
  image_id TEXT NOT NULL, position INTEGER NOT NULL, blob TEXT NOT NULL, diff_id TEXT NOT NULL, directory TEXT,
  PRIMARY KEY (image_id, position)
) WITHOUT ROWID;
CREATE INDEX image_layers_by_directory ON image_layers (directory);
CREATE INDEX image_layers_by_blob ON image_layers (blob);
CREATE INDEX image_layers_by_diff ON image_layers (diff_id);

CREATE TABLE containers (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, image_id TEXT NOT NULL, image_name TEXT NOT NULL,
  created_at INTEGER NOT NULL,    -- nanoseconds since 1970, as the other times of this table
  spec TEXT NOT NULL,             -- what was asked for, as JSON (engine/container/container_spec.h)
  state TEXT NOT NULL,            -- created, running, exited, removing
  started_at INTEGER, finished_at INTEGER, exit_status INTEGER, exit_reason TEXT,
  remove_on_exit INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX containers_by_image ON containers (image_id);
CREATE INDEX containers_by_state ON containers (state);

-- Who holds which bank, and who held it before. A bank that nobody ever held has no row here and lies in one of the
-- ranges of fresh_banks, which starts as the whole pool (ledger/banks.h).
CREATE TABLE banks (
  number INTEGER PRIMARY KEY,
  owner_kind TEXT, owner TEXT,    -- "container" and its id, "name" and the name, "project" and its name; NULL when free
  since INTEGER,                  -- seconds since 1970, of the current holder
  freed_at INTEGER,               -- nanoseconds since 1970, and later than every other bank's at the time
  last_owner_kind TEXT, last_owner TEXT
);
CREATE INDEX banks_by_owner ON banks (owner_kind, owner);
CREATE INDEX banks_resting ON banks (freed_at) WHERE owner IS NULL;
CREATE TABLE fresh_banks (first INTEGER PRIMARY KEY, last INTEGER NOT NULL);
INSERT INTO fresh_banks VALUES (8, 28671);

CREATE TABLE volumes (
  name TEXT PRIMARY KEY, created_at INTEGER NOT NULL, anonymous INTEGER NOT NULL DEFAULT 0, labels TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE container_volumes (
  container_id TEXT NOT NULL, volume TEXT NOT NULL, PRIMARY KEY (container_id, volume)
) WITHOUT ROWID;
CREATE INDEX container_volumes_by_volume ON container_volumes (volume);

CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
)sql";

}  // namespace berth::store
