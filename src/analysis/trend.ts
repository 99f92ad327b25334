/**
 * The slope of what was measured again and again, by Theil and Sen: the median of the slopes between all pairs, so that a
 * burst or a collection of garbage bends it little. Pairs are made within a group only (one life of a process, one
 * setting): what differs between groups is no slope. Interval after Hirsch, Slack & Smith, "Techniques of trend analysis
 * for monthly water quality data", Water Resources Research 18 (1982), who have seasons for groups.
 */
export interface Point {
  readonly group: string;
  /** Any unit; the slope is for one of it. */
  readonly at: number;
  readonly value: number;
}

export interface Trend {
  readonly slope: number;
  /** The 95 % interval of the slope. Neighbours that resemble each other make it a little too narrow. */
  readonly low: number;
  readonly high: number;
  /** The median value. */
  readonly level: number;
  /** The mean length of a group, from its first point to its last. */
  readonly span: number;
  readonly groups: number;
  readonly points: number;
}

/** A group needs so many, or its slope is that of two accidents. */
const LEAST_POINTS = 4;
/** Of more points than this a group's slope is taken over every second, third, … one: pairs grow by the square. */
const MOST_POINTS = 200;
/** The two-sided 95 % quantile of the normal distribution. */
const Z = 1.96;

/** Null where no group has points enough, or none has any duration. */
export function trendOf(points: readonly Point[]): Trend | null {
  const groups = [...Map.groupBy(points, ({ group }) => group).values()]
    .map((group) => thinned(group.toSorted((a, b) => a.at - b.at)))
    .filter((group) => group.length >= LEAST_POINTS && spanOf(group) > 0);
  const slopes = groups.flatMap(slopesOf).toSorted((a, b) => a - b);
  if (slopes.length === 0) return null;
  const width =
    Z * Math.sqrt(groups.reduce((sum, { length: n }) => sum + (n * (n - 1) * (2 * n + 5)) / 18, 0));
  const at = (rank: number): number =>
    slopes[Math.min(Math.max(Math.round(rank), 0), slopes.length - 1)] ?? 0;
  const values = groups.flat().map(({ value }) => value);
  return {
    slope: medianOf(slopes),
    low: at((slopes.length - width) / 2 - 1),
    high: at((slopes.length + width) / 2),
    level: medianOf(values.toSorted((a, b) => a - b)),
    span: groups.reduce((sum, group) => sum + spanOf(group), 0) / groups.length,
    groups: groups.length,
    points: values.length,
  };
}

function thinned(group: readonly Point[]): readonly Point[] {
  const every = Math.ceil(group.length / MOST_POINTS);
  return group.filter((_point, index) => index % every === 0);
}

function slopesOf(group: readonly Point[]): number[] {
  return group.flatMap((a, index) =>
    group.slice(index + 1).flatMap((b) => (b.at > a.at ? [(b.value - a.value) / (b.at - a.at)] : [])),
  );
}

const spanOf = (group: readonly Point[]): number => (group.at(-1)?.at ?? 0) - (group[0]?.at ?? 0);

/** Of sorted values. */
function medianOf(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const [upper = 0, lower = 0] = [sorted[middle], sorted[middle - 1]];
  return sorted.length % 2 === 1 ? upper : (upper + lower) / 2;
}
