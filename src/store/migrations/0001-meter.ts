/** The first schema. Once released it is never edited: a change is a migration of its own. */
export const meter = `
CREATE TABLE samples (
  -- Order of arrival; AUTOINCREMENT, because the rollups remember how far they got and a number must not come twice.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  rid TEXT NOT NULL UNIQUE,
  ts INTEGER NOT NULL,
  lane TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT,
  served_model TEXT,
  op TEXT NOT NULL,
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  status INTEGER NOT NULL,
  err_type TEXT,
  latency_ms REAL NOT NULL,
  ttfb_ms REAL,
  stream_ms REAL,
  tokens_input INTEGER,
  tokens_output INTEGER,
  tokens_cache_read INTEGER,
  tokens_cache_write_5m INTEGER,
  tokens_cache_write_1h INTEGER,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  h2 INTEGER,
  header_mode TEXT
) STRICT;
CREATE INDEX samples_ts ON samples (ts);

-- The ids of samples that retention deleted and the rollups still count: an import must not count them again.
CREATE TABLE forgotten (rid ANY PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE rollups (
  granularity TEXT NOT NULL,
  start INTEGER NOT NULL,
  lane TEXT NOT NULL,
  model TEXT,
  count INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  tokens_input INTEGER NOT NULL,
  tokens_output INTEGER NOT NULL,
  tokens_cache_read INTEGER NOT NULL,
  tokens_cache_write_5m INTEGER NOT NULL,
  tokens_cache_write_1h INTEGER NOT NULL,
  -- Whole microseconds: their sum is the same in every order.
  duration_us INTEGER NOT NULL,
  stream_us INTEGER NOT NULL,
  -- Counts in logarithmic buckets, see histogram.ts.
  latency BLOB NOT NULL,
  ttfb BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX rollups_key ON rollups (granularity, start, lane, model IS NULL, ifnull(model, ''));

-- The last sample that the rollups count.
CREATE TABLE rolled_up (seq INTEGER NOT NULL) STRICT;
INSERT INTO rolled_up VALUES (0);

CREATE TABLE cooldowns (
  lane TEXT NOT NULL,
  key TEXT NOT NULL,
  until INTEGER NOT NULL,
  stated TEXT NOT NULL,
  PRIMARY KEY (lane, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE limit_hits (
  rid TEXT NOT NULL,
  ts INTEGER NOT NULL,
  lane TEXT NOT NULL,
  key TEXT NOT NULL,
  kind TEXT NOT NULL,
  rolling_pct REAL,
  weekly_pct REAL,
  since_warn_s REAL,
  resets_at INTEGER,
  PRIMARY KEY (rid, lane, key)
) STRICT;
CREATE INDEX limit_hits_ts ON limit_hits (ts);
`;
