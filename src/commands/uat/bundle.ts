import { resolve } from 'node:path';
import { type Bundled, loadSelftestText, loadSignOff, plural } from '../../ccp-uat.ts';
import { type OwnCredential, ownCredentials } from '../../config/own-credentials.ts';
import { EXIT } from '../../errors.ts';
import { type Host, plain, printJson, printWarnings } from '../shared/host.ts';
import { table } from '../shared/table.ts';
import type { Terminal } from '../shared/terminal.ts';
import { shownFrom, usualPlace } from './bundle-file.ts';
import { open } from './load.ts';

export interface BundleFlags {
  readonly out?: string;
  readonly sign?: string;
  readonly json?: boolean;
}

/** `ccp-uat bundle`: packs the newest run of each suite; exit 1, and nothing left behind, where there is a secret in it. */
export async function bundle(
  host: Host,
  terminal: Terminal,
  { out, sign, json = false }: BundleFlags,
): Promise<number> {
  using interruption = terminal.interruption();
  const { uat, settings } = open(host);
  const built = await uat.bundle({
    outDir: out === undefined ? usualPlace(host, settings.resultsDir) : resolve(host.cwd, out),
    seedFile: sign === undefined ? undefined : resolve(host.cwd, sign),
    secrets: ownKeys(host),
    signal: interruption.signal,
  });
  if (built.ok && built.unsaid) printWarnings(host, 'ccp-uat', [UNSAID]);
  if (json) printJson(host, built);
  else if (built.ok)
    host.out.write(builtText(host, built, { ...(await loadSelftestText()), ...(await loadSignOff()) }));
  else sayFinds(host, built);
  return built.ok ? EXIT.ok : EXIT.failed;
}

const UNSAID =
  'there is a checkout, and git is missing or would not tell its commit ("git status" there says why): the bundle names none, and lists the files that lie there';

/** What is shorter is found by chance. */
const SHORTEST_KEY = 12;

/** The real ones: a run on real upstreams had them, and a slip may bring them anywhere. */
const ownKeys = ({ env, cwd, home }: Host): OwnCredential[] =>
  ownCredentials({ env, cwd, home }).filter(({ value }) => value.length >= SHORTEST_KEY);

type Words = Pick<Awaited<ReturnType<typeof loadSelftestText>>, 'saboteurWords'> &
  Pick<Awaited<ReturnType<typeof loadSignOff>>, 'wholeIn'>;

function builtText(
  host: Host,
  { file, bytes, sha256, summary, publicKey }: Extract<Bundled, { ok: true }>,
  { saboteurWords, wholeIn }: Words,
): string {
  const { out, cwd } = host;
  const shown = plain(shownFrom(cwd, file));
  const { runs, missing, signOff } = summary;
  const rows = runs.map(({ suite, outcome: each, ending, checks, startedAt, saboteurs }) => [
    each,
    suite,
    `${checks['pass'] ?? 0} of ${plural(
      Object.values(checks).reduce((sum, count) => sum + count, 0),
      'check',
    )} passed${saboteurs === undefined ? '' : `, ${saboteurWords(saboteurs)}`}`,
    ending,
    startedAt,
  ]);
  return [
    table(out, ['verdict', 'suite', 'checks', 'ended', 'started'], rows),
    ...missing.map(({ what, why }) => `missing: ${plain(what)}: ${plain(why)}\n`),
    `Sign-off: ${signOff.map(({ area, verdict }) => `${area} ${verdict}`).join(', ')}.\n`,
    `The whole: ${wholeIn(summary)}.\n`,
    `${shown}, ${plural(bytes, 'byte')}\nSHA-256 ${sha256}\n`,
    publicKey === null
      ? 'Not signed: hand the SHA-256 over by another way than the file.\n'
      : `Signed. Public key: ${publicKey}\n`,
    `Verify it with: ccp-uat bundle verify ${shown} ${publicKey === null ? `--expect-sha256 ${sha256}` : `--pubkey ${publicKey}`}\n`,
  ].join('');
}

function sayFinds({ err, cwd }: Host, { finds, accounts }: Extract<Bundled, { ok: false }>): void {
  for (const { rule, file, line, count, hidden } of finds)
    err.write(
      `ccp-uat: ${err.paint('red', 'secret')}: ${rule} in ${plain(file)}, line ${line}${hidden === null ? '' : ` (${hidden})`}, ${plural(count, 'time')}\n`,
    );
  err.write(
    'No bundle was made. Take the secret out of circulation first; then run the suite again, or remove its run.\n',
  );
  for (const account of accounts) err.write(`The same to hand on: ${plain(shownFrom(cwd, account))}\n`);
}
