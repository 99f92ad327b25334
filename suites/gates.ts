/** The checks that judge a run, in the order of the verdict table; `docs/checks.md` says what each catches. */

/** What every exchange must show, whatever its lane. */
export const FIDELITY = [
  'ROUTE-02',
  'HEADER-01',
  'HEADER-02',
  'BYTES-01',
  'BYTES-02',
  'BYTES-03',
  'STATUS-01',
  'STREAM-01',
  'STREAM-02',
  'TOKENS-01',
  'TOKENS-02',
  'METRICS-01',
  'LOG-01',
  'LOG-02',
  'RECONCILE-01',
  'RECONCILE-02',
  'RECONCILE-03',
  'RECONCILE-04',
  'STORE-01',
  'STORE-02',
  'USAGE-01',
  'HYGIENE-01',
  'HYGIENE-02',
] as const;

/** What both lanes together must show: the gates of a repro. */
export const GATES = [
  'ROUTE-01',
  ...FIDELITY,
  'HEADER-03',
  'STREAM-03',
  'ABORT-01',
  'READY-01',
  'LANES-01',
  'OWN-01',
  'LICENSE-01',
  'LICENSE-02',
] as const;
