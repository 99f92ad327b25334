/**
 * Rollups by the model that served: prices go by it; and the output that streamed, for its speed. What was rolled up
 * before keeps a null, and all its output counts as streamed, as it did. Its samples, where they are still there, are
 * not rolled up again: a new cell beside an old one would count them twice.
 *
 * Samples get the bounds that rows have now: one beyond them stopped the rollups for ever.
 */
export const servedModel = `
ALTER TABLE rollups ADD COLUMN served_model TEXT;
ALTER TABLE rollups ADD COLUMN streamed_tokens INTEGER NOT NULL DEFAULT 0;
UPDATE rollups SET streamed_tokens = tokens_output;
DROP INDEX rollups_key;
CREATE UNIQUE INDEX rollups_key ON rollups
  (granularity, start, lane, model IS NULL, ifnull(model, ''), served_model IS NULL, ifnull(served_model, ''));
-- Hours before are gone; their days tell of them.
ALTER TABLE rolled_up ADD COLUMN hours_from INTEGER NOT NULL DEFAULT 0;

UPDATE samples SET
  latency_ms = min(latency_ms, 1e9),
  ttfb_ms = min(ttfb_ms, 1e9),
  stream_ms = min(stream_ms, 1e9),
  tokens_input = min(tokens_input, 1000000000),
  tokens_output = min(tokens_output, 1000000000),
  tokens_cache_read = min(tokens_cache_read, 1000000000),
  tokens_cache_write_5m = min(tokens_cache_write_5m, 1000000000),
  tokens_cache_write_1h = min(tokens_cache_write_1h, 1000000000)
WHERE max(latency_ms, ifnull(ttfb_ms, 0), ifnull(stream_ms, 0), ifnull(tokens_input, 0), ifnull(tokens_output, 0),
  ifnull(tokens_cache_read, 0), ifnull(tokens_cache_write_5m, 0), ifnull(tokens_cache_write_1h, 0)) > 1e9;
`;
