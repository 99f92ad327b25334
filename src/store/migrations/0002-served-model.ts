/**
 * Rollups by the model that served: prices go by it. What was rolled up before keeps a null, and its samples, where
 * they are still there, are not rolled up again: a new cell beside an old one would count them twice.
 */
export const servedModel = `
ALTER TABLE rollups ADD COLUMN served_model TEXT;
DROP INDEX rollups_key;
CREATE UNIQUE INDEX rollups_key ON rollups
  (granularity, start, lane, model IS NULL, ifnull(model, ''), served_model IS NULL, ifnull(served_model, ''));
`;
