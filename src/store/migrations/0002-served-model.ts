/**
 * Rollups by the model that served: prices go by it; and the output that streamed, for its speed. What was rolled up
 * before keeps a null, and all its output counts as streamed, as it did. Its samples, where they are still there, are
 * not rolled up again: a new cell beside an old one would count them twice.
 */
export const servedModel = `
ALTER TABLE rollups ADD COLUMN served_model TEXT;
ALTER TABLE rollups ADD COLUMN streamed_tokens INTEGER NOT NULL DEFAULT 0;
UPDATE rollups SET streamed_tokens = tokens_output;
DROP INDEX rollups_key;
CREATE UNIQUE INDEX rollups_key ON rollups
  (granularity, start, lane, model IS NULL, ifnull(model, ''), served_model IS NULL, ifnull(served_model, ''));
`;
