/** Where things lie in a bundle, and what they are. */

export const MANIFEST = 'manifest.json';
export const SUMS = 'SHA256SUMS';
/** Of `SHA256SUMS`, which lists everything else. */
export const SIGNATURE = `${SUMS}.sig`;

/** What each bundle has, beside its evidence, and what it is for. */
export const DOCUMENTS = {
  'index.html': 'page',
  'provenance.json': 'provenance',
  'run.json': 'verdicts',
  'summary.json': 'summary',
  'junit.xml': 'verdicts for CI',
  'redaction.json': 'redaction',
  'repository.json': 'repository map',
  'statement.intoto.json': 'attestation',
} as const;

export type DocumentName = keyof typeof DOCUMENTS;

export const isDocument = (path: string): path is DocumentName => Object.hasOwn(DOCUMENTS, path);

/** Of the form of the documents; one number for all of them, as they are made together. */
export const SCHEMA_VERSION = 1;

/** What lies at a place, judged by the place alone. */
export function roleOf(path: string): string | null {
  if (isDocument(path)) return DOCUMENTS[path];
  return path.startsWith('evidence/') ? 'evidence' : null;
}

const NAME = /^ccp-review-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** `ccp-review-<utc>`; `end` in epoch milliseconds. */
export const bundleName = (end: number): string =>
  `ccp-review-${new Date(end).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;

/** The time in the name of a bundle, which is also that of each file in it; null where it is no such name. */
export function timeOf(name: string): Date | null {
  const [, year, month, day, hour, minute, second] = NAME.exec(name) ?? [];
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) || bundleName(time.getTime()) !== name ? null : time;
}

/** Code points, so that no locale has a say. */
export const byPath = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
