/** When models were used, from rows of hours: however many hours there are, only those not over yet are kept. */
import { type BestHoursFinder, createBestHours, type HourUse } from '../protocol/hours.ts';
import type { ModelHours } from '../protocol/meter.ts';

/** What one lane, and one model that served, have to an hour of a model, or to a day where its hours are forgotten. */
export interface HourRow extends HourUse {
  /** Epoch milliseconds. */
  readonly start: number;
  readonly model: string | null;
}

export interface ModelHoursFold {
  /** A row of any time, before the others. */
  add(row: HourRow): void;
  /** A row that no row of an earlier time follows. */
  addInOrder(row: HourRow): void;
  /** No more rows follow. */
  end(): readonly ModelHours[];
}

/** @param hoursFrom epoch milliseconds: what begins before is a day, of which nobody knows the hours */
export function createModelHours(hoursFrom: number): ModelHoursFold {
  const models = new Map<string | null, { first: number; readonly best: BestHoursFinder }>();
  const open = new Map<number, Map<string | null, Writable<HourUse>>>();
  let current = Number.NEGATIVE_INFINITY;

  const add = ({ start, model, tokens, streamed, streamMs }: HourRow): void => {
    const known = models.get(model);
    if (known === undefined) models.set(model, { first: start, best: createBestHours() });
    else known.first = Math.min(known.first, start);
    if (start < hoursFrom) return;
    const hour = open.get(start) ?? new Map<string | null, Writable<HourUse>>();
    open.set(start, hour);
    const use = hour.get(model) ?? { tokens: 0, streamed: 0, streamMs: 0 };
    hour.set(model, use);
    use.tokens += tokens;
    use.streamed += streamed;
    use.streamMs += streamMs;
  };

  const close = (start: number): void => {
    for (const [model, use] of open.get(start) ?? []) models.get(model)?.best.add(start, use);
    open.delete(start);
  };

  return {
    add,
    addInOrder(row) {
      if (row.start > current) close(current);
      current = row.start;
      add(row);
    },
    end() {
      for (const start of open.keys()) close(start);
      return [...models].map(([model, { first, best }]) => ({ model, first, ...best.found() }));
    },
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
