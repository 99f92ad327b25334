/**
 * The day of each forgotten id, so that it need not be kept for ever. Of those that are there already nobody knows
 * theirs: they count as of today, and stay longest.
 */
export const daysOfIds = `
ALTER TABLE forgotten ADD COLUMN day INTEGER NOT NULL DEFAULT 0;
UPDATE forgotten SET day = unixepoch() / 86400;
CREATE INDEX forgotten_day ON forgotten (day);
-- Ids of samples before are not kept: whether one was counted cannot be told.
ALTER TABLE rolled_up ADD COLUMN ids_from INTEGER NOT NULL DEFAULT 0;
`;
