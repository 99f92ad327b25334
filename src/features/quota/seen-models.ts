/** The models that came through each lane in the last days: a glob that matches none of them may be mistyped. */

export interface SeenModels {
  saw(lane: string, model: string | null): void;
  /** Null where there were so many that some are not known. */
  of(lane: string): readonly string[] | null;
}

/** A client may make names up. */
const MOST_OF_LANE = 100;

export function createSeenModels(): SeenModels {
  const seen = new Map<string, Set<string>>();
  return {
    saw(lane, model) {
      if (model === null) return;
      const models = seen.get(lane) ?? new Set();
      if (models.size === 0) seen.set(lane, models);
      if (models.size < MOST_OF_LANE) models.add(model);
    },
    of(lane) {
      const models = seen.get(lane) ?? new Set();
      return models.size < MOST_OF_LANE ? [...models] : null;
    },
  };
}
