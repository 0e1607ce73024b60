// The first version of the store's database, as it was: for tests of what later versions make of it. Not to
// be changed with src/store/schema.h.
#pragma once

namespace berth::test {

inline constexpr const char* kSchema1 = R"sql(
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
  spec TEXT NOT NULL,             -- what was asked for, as JSON (engine/container_spec.h)
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
  owner_kind TEXT, owner TEXT,    -- "container" and its id; NULL when free
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
PRAGMA user_version=1;
)sql";

// Two containers with a bank each, one that has the host's IDs, one that is gone and whose bank rests, and a
// volume.
inline constexpr const char* kContent1 = R"sql(
INSERT INTO containers VALUES
  ('aaaa', 'web', 'sha256:1', 'docker.io/library/web:1', 1000000001, '{}', 'exited', 1000000002, 1000000003, 4, NULL, 0),
  ('bbbb', 'db', 'sha256:1', 'docker.io/library/db:1', 2000000001, '{}', 'created', NULL, NULL, NULL, NULL, 0),
  ('cccc', 'host', 'sha256:1', 'docker.io/library/db:1', 3000000001, '{"userns":"host"}', 'created',
   NULL, NULL, NULL, NULL, 0);
INSERT INTO banks VALUES (8, 'container', 'aaaa', 100, NULL, NULL, NULL),
                         (9, NULL, NULL, NULL, 5000000000, 'container', 'dddd'),
                         (10, 'container', 'bbbb', 200, 4000000000, 'container', 'eeee');
UPDATE fresh_banks SET first = 11;
INSERT INTO volumes VALUES ('data', 300, 0, '{}');
INSERT INTO container_volumes VALUES ('aaaa', 'data');
INSERT INTO settings VALUES ('kept', 'yes');
)sql";

}  // namespace berth::test
