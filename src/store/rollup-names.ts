/**
 * The names that rollups tell apart. A client may make up a model for each request: so many of an hour or day and lane are
 * kept by name, in the order of their arrival, and all others together. Once told, a name stays; once not, it never is, so
 * that what was counted can be found again.
 */
import type { CellKey } from './rollup-cells.ts';

/** What all further names count under. A client that sends this very name is counted there as well. */
export const OTHER = '(other)';

const MOST_MODELS = 100;
/** Of a model with the one that served it. */
const MOST_PAIRS = 200;

type Name = string | null;
export type Names = Pick<CellKey, 'model' | 'served'>;

/**
 * Gives the place that a cell is counted at. `known` tells what an hour or day of a lane has already; it is asked once for
 * each.
 */
export function createNames(known: (place: CellKey) => Iterable<Names>): (cell: CellKey) => CellKey {
  const groups = new Map<string, (names: Names) => Names>();
  return (cell) => {
    const key = `${cell.start} ${cell.lane}`;
    let admit = groups.get(key);
    if (admit === undefined) {
      admit = createGroup(known(cell));
      groups.set(key, admit);
    }
    const { start, lane } = cell;
    return { start, lane, ...admit(cell) };
  };
}

function createGroup(known: Iterable<Names>): (names: Names) => Names {
  const models = new Set<Name>();
  const pairs = new Set<string>();
  const keep = (names: Names): void => {
    models.add(names.model);
    pairs.add(pairOf(names));
  };
  for (const names of known) keep(names);
  return ({ model: asked, served: answered }) => {
    const model = models.has(asked) || models.size < MOST_MODELS ? asked : OTHER;
    const room =
      answered === null || pairs.size < MOST_PAIRS || pairs.has(pairOf({ model, served: answered }));
    const names = { model, served: room ? answered : OTHER };
    keep(names);
    return names;
  };
}

const pairOf = ({ model, served }: Names): string => JSON.stringify([model, served]);
