/** Counts as a person reads them. */

const GROUPED = new Intl.NumberFormat('en');

/** `5,000`. */
export const count = (value: number): string => GROUPED.format(value);

/** `1 exchange`, `5,000 exchanges`. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;
