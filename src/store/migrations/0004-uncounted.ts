/**
 * How many exchanges of a rollup used tokens that nobody counted. What was rolled up before cannot tell: it says none, and
 * its samples, where they are still there, are not rolled up again.
 */
export const uncounted = `
ALTER TABLE rollups ADD COLUMN uncounted INTEGER NOT NULL DEFAULT 0;
`;
