/** Milliseconds as a person reads them, with as many digits as mean something: `3.2 ms`, `840 ms`, `1.50 s`, `6.0 min`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const size = Math.abs(ms);
  if (size < 10) return `${ms.toFixed(1)} ms`;
  if (size < 1_000) return `${ms.toFixed(0)} ms`;
  return size < 60_000 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 60_000).toFixed(1)} min`;
}
