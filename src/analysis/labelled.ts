/** Stands for all labels beyond the limit. */
export const OTHER = 'other';

/** A longer label is a damaged line's, and would fill the memory. */
const MAX_LABEL_LENGTH = 200;

export interface Labelled<Part, Value> {
  of(label: string): Part;
  /** Whether some labels had to share one. */
  overflowed(): boolean;
  /** In order of label. */
  result(): Record<string, Value>;
}

/** One accumulator a label, made when first asked for; labels beyond the limit share one. */
export function createLabelled<Part, Value>(
  limit: number,
  create: () => Part & { result(): Value },
): Labelled<Part, Value> {
  const parts = new Map<string, Part & { result(): Value }>();
  let overflowed = false;

  function partOf(label: string): Part {
    const known = parts.get(label);
    if (known !== undefined) return known;
    if (label !== OTHER && (parts.size >= limit || label.length > MAX_LABEL_LENGTH)) {
      overflowed = true;
      return partOf(OTHER);
    }
    const part = create();
    parts.set(label, part);
    return part;
  }

  return {
    of: partOf,
    overflowed: () => overflowed,
    result: () =>
      Object.fromEntries([...parts].toSorted(byLabel).map(([label, part]) => [label, part.result()])),
  };
}

const byLabel = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1;

/** The simplest accumulator. */
export function createCounter() {
  let count = 0;
  return {
    add(): void {
      count += 1;
    },
    result: () => count,
  };
}
