/** Axes of the plots: where values go, and which values are written beside them. */
export interface Axis {
  /** The place of a value, in units of the drawing. */
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

interface Room {
  readonly from: number;
  readonly to: number;
}

/** From zero to `most`, with three to six ticks at round values. */
export function linearAxis(most: number, { from, to }: Room): Axis {
  const top = most > 0 && Number.isFinite(most) ? most : 1;
  const step = roundStep(top / 4);
  const ticks = Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, index) => index * step);
  return { at: (value) => from + (clamp(value, 0, top) / top) * (to - from), ticks };
}

/** Whole decades around the values, which are above zero; ticks at 1, 2 and 5 of each where there is room. */
export function logAxis(least: number, most: number, { from, to }: Room): Axis {
  const first = Math.floor(Math.log10(least));
  const last = Math.max(first + 1, Math.ceil(Math.log10(most)));
  const digits = last - first > 2 ? [1] : [1, 2, 5];
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => first + index)
    .flatMap((power) => digits.map((digit) => digit * 10 ** power))
    .filter((tick) => tick <= 10 ** last);
  const share = (value: number) => (Math.log10(value) - first) / (last - first);
  return { at: (value) => from + clamp(share(value), 0, 1) * (to - from), ticks };
}

/** 1, 2 or 5 times a power of ten, at least `size`. */
function roundStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  return ([1, 2, 5, 10].find((digit) => digit * power >= size * 0.999) ?? 10) * power;
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** A coordinate: a tenth of a unit is finer than any screen. */
export const coordinate = (value: number): string => String(Math.round(value * 10) / 10);
