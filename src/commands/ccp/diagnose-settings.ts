/** What `ccp doctor` shows of settings and files: what each is, and where it comes from. */
import { existsSync } from 'node:fs';
import { CCP_DECLARATIONS, CCP_SECRETS } from '../../config/ccp-declarations.ts';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { judgeLicense } from '../../config/open-license.ts';
import type { Source } from '../../config/resolve-settings.ts';
import { attempt, type Finding } from './finding.ts';

export interface SettingRow {
  /** The variable. */
  readonly name: string;
  /** Of a credential only `set` or `not set`. */
  readonly value: string;
  readonly source: string;
}

export interface FileRow {
  readonly path: string;
  readonly state: string;
}

/** Every setting, then every credential, as they are in effect. */
export function settingRows({ sources, shown, secrets, paths }: LoadedCcp): SettingRow[] {
  const values: Readonly<Record<string, string | null>> = { ...shown, dbPath: paths.store };
  const origins: Readonly<Record<string, Source>> = sources;
  const rows = Object.entries(CCP_DECLARATIONS).map(([key, { env }]) => ({
    name: env[0],
    value: values[key] ?? '-',
    source: describeSource(env[0], origins[key]),
  }));
  const secretRows = Object.values(CCP_SECRETS).map(({ env: [name] }) => {
    const source = secrets.source(name);
    return { name, value: source === null ? 'not set' : 'set', source: describeSource(name, source) };
  });
  return [...rows, ...secretRows];
}

/** The place, and the name used there where it is not the canonical one. */
function describeSource(canonical: string, source: Source | null | undefined): string {
  if (source === null || source === undefined) return '-';
  const { name, label } = source;
  return name === undefined || name === canonical ? label : `${label} (${name})`;
}

/** Every file that may be read, whether it is there or not, and what became of it by what was found. */
export async function fileRows(loaded: LoadedCcp, findings: readonly Finding[]): Promise<FileRow[]> {
  const { envFiles, catalogs, quotaFiles, paths, settings } = loaded;
  const prices = settings.pricesFile ?? paths.prices;
  const rows = [
    ...envFiles.map(({ path, state }) => ({ path, state: ENV_FILE_STATES[state] })),
    ...(await placedRows(catalogs)),
    ...firstAlone(await placedRows(quotaFiles)),
    { path: prices, state: stateOf(prices, null) },
    { path: paths.modelFile, state: stateOf(paths.modelFile, settings.model === null ? null : 'CCP_MODEL') },
    { path: paths.licensePack, state: licenseFileState(loaded) },
  ];
  return rows.map((row) =>
    row.state === 'used' && isRefused(row, findings) ? { ...row, state: REFUSED } : row,
  );
}

const placedRows = (files: LoadedCcp['catalogs']): Promise<FileRow[]> =>
  Promise.all(
    files.map(async (file) => {
      const found = await attempt(() => file.read().state);
      return { path: file.path, state: found.ok ? found.value : found.finding.what };
    }),
  );

/** Those of files of which the first that is used is the only one. */
function firstAlone(rows: readonly FileRow[]): FileRow[] {
  const first = rows.find(({ state }) => state === 'used');
  return rows.map((row) =>
    first === undefined || row === first || row.state !== 'used'
      ? row
      : { ...row, state: `not used: ${first.path} goes before it` },
  );
}

/** What is wrong in a file begins with the file and the line. */
const isRefused = ({ path }: FileRow, findings: readonly Finding[]): boolean =>
  findings.some(({ level, what }) => level === 'problem' && what.startsWith(`${path}:`));

const REFUSED = 'read, and refused: see below';

/** @param before what counts instead of the file; null without any */
const stateOf = (path: string, before: string | null): string =>
  !existsSync(path) ? 'absent' : before === null ? 'used' : `not used: ${before} goes before it`;

function licenseFileState(loaded: LoadedCcp): string {
  const { source, ...state } = judgeLicense(loaded, Date.now());
  const { licensePack } = loaded.paths;
  if (source !== licensePack)
    return existsSync(licensePack) ? `not used: ${source} goes before it` : 'absent';
  if (state.ok) return 'used';
  return state.reason === 'none' ? 'absent' : REFUSED;
}

const ENV_FILE_STATES = {
  absent: 'absent',
  own: 'used',
  trusted: 'used (trusted)',
  changed: 'changed since it was trusted: only harmless settings used',
  untrusted: 'not trusted: only harmless settings used',
} as const;
