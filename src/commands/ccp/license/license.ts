/** `ccp license`: what the licence is worth, and the one that is stored. */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { LoadedCcp } from '../../../config/ccp-settings.ts';
import {
  examinePack,
  examinePair,
  judgeLicense,
  type LicenseFacts,
  type LicenseState,
  looksLikeSignature,
  MAX_PACK_BYTES,
  REASONS,
  removePack,
  reportOf,
  sentenceOf,
  storePack,
} from '../../../config/open-license.ts';
import { EXIT, OperatorError } from '../../../errors.ts';
import { type Host, plain, printJson, printWarnings } from '../../shared/host.ts';
import { load } from '../load.ts';

interface Json {
  readonly json: boolean;
}

/** `ccp license status`: judges the sources as the proxy would. One that is wrong fails; being without one does not. */
export function licenseStatus(host: Host, { json }: Json): number {
  const loaded = load(host);
  const state = judgeLicense(loaded, Date.now());
  if (json) printJson(host, document(state));
  else host.out.write(page(host, state));
  return state.ok || state.reason === 'none' ? EXIT.ok : EXIT.failed;
}

export interface SetOptions extends Json {
  /** `-`: standard input. */
  readonly file: string;
  /** A file, or the signature itself; undefined where it is in the pack. */
  readonly sig: string | undefined;
}

/** `ccp license set`: stores what counts now and nothing else; for the rest gives the reason, with exit 1. */
export async function setLicense(host: Host, { file, sig, json }: SetOptions): Promise<number> {
  const loaded = load(host);
  const content = await read(host, file);
  if (content.length === 0 && file === '-')
    throw new OperatorError('USAGE', 'nothing came on standard input', {
      hint: 'Pipe a licence into it, or name its file: "ccp license set FILE".',
    });
  const now = Date.now();
  const state =
    sig === undefined
      ? examinePack(loaded, content, now)
      : examinePair(loaded, { license: content, signature: await readSignature(host, sig) }, now);
  if (json && !state.ok) {
    printJson(host, { ...document(state), remedy: remedyWhenUnstored(state), source: null });
    return EXIT.failed;
  }
  const kept = keepLicense(loaded, state);
  warnOfOthers(host, loaded);
  if (json) printJson(host, { ...document(state), source: loaded.paths.licensePack });
  else {
    host.out.write(block(kept));
    host.out.write(
      `Stored in ${loaded.paths.licensePack}; a running proxy takes it over within a second, which "ccp doctor" checks.\n`,
    );
  }
  return EXIT.ok;
}

/** Stores a licence that counts, and gives what it says. Throws `CHECK_FAILED` with reason and remedy for another. */
function keepLicense(loaded: LoadedCcp, state: LicenseState): LicenseFacts {
  if (state.ok) {
    storePack(loaded.paths.licensePack, state.pack);
    return state;
  }
  throw new OperatorError('CHECK_FAILED', `not stored (${state.reason}). ${sentenceOf(state)}`, {
    hint: remedyWhenUnstored(state),
  });
}

/** What was not stored, no running proxy will use when its time comes. */
const remedyWhenUnstored = ({ reason }: Exclude<LicenseState, { ok: true }>): string =>
  reason === 'not_yet_valid'
    ? "Store it again when its time has come, or check this machine's clock."
    : REASONS[reason].remedy;

/** `ccp license logout`: removes the stored licence. */
export function removeLicense(host: Host, { json }: Json): number {
  const loaded = load(host);
  const path = loaded.paths.licensePack;
  const removed = removePack(path);
  warnOfOthers(host, loaded);
  if (json) printJson(host, { removed, path });
  else host.out.write(removed ? `Removed ${path}.\n` : `No licence is stored in ${path}.\n`);
  return EXIT.ok;
}

/** Warns of what is set and goes before the stored licence. */
export function warnOfOthers(host: Host, loaded: LoadedCcp): void {
  const { source } = judgeLicense(loaded, Date.now());
  if (source === loaded.paths.licensePack) return;
  printWarnings(host, 'ccp', [`${source} is set here and goes before the stored licence`]);
}

async function read(host: Host, file: string): Promise<Buffer> {
  if (file === '-') {
    if (host.input.isTerminal) host.err.write('Paste the licence, then press Ctrl-D.\n');
    return host.input.read(MAX_PACK_BYTES);
  }
  const path = resolve(host.cwd, file);
  const content = await readNamed(path);
  if (content === null) throw new OperatorError('USAGE', `there is no file ${path}`);
  return content;
}

async function readSignature(host: Host, sig: string): Promise<Buffer> {
  const path = resolve(host.cwd, sig);
  const content = await readNamed(path);
  if (content !== null) return content;
  if (looksLikeSignature(sig)) return Buffer.from(sig);
  throw new OperatorError('USAGE', `there is no file ${path}, and it is no signature`);
}

const ABSENT: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

/**
 * The first bytes of what a person named, one more than a licence may have: a pipe is waited for, as the shell makes
 * one of `<(…)`. Null where nothing is there. Throws `USAGE` for a folder, `CONFIG` where it can't be read.
 */
async function readNamed(path: string): Promise<Buffer | null> {
  try {
    return await buffer(createReadStream(path, { end: MAX_PACK_BYTES }));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (ABSENT.has(code)) return null;
    if (code === 'EISDIR') throw new OperatorError('USAGE', `${path} is a folder`);
    throw new OperatorError('CONFIG', `${path} cannot be read: ${String(cause)}`, { cause });
  }
}

/** The state as one JSON document; what a genuine licence says whose time it is not is shown, too. */
function document(state: LicenseState): object {
  const facts = state.ok ? state : state.facts;
  return {
    ...reportOf(state),
    detail: state.ok ? null : state.detail,
    remedy: state.ok ? null : REASONS[state.reason].remedy,
    kid: facts?.kid ?? null,
    subject: facts?.subject ?? null,
    issued_at: timeOf(facts?.issuedAt),
    not_before: timeOf(facts?.notBefore),
    expires_at: timeOf(facts?.expiresAt),
    source: state.source,
  };
}

function page(host: Host, state: LicenseState): string {
  if (state.ok) {
    const heading = `${host.out.paint('green', 'licensed')} (${plain(state.plan)}): its features are granted`;
    return `${heading}\n${block(state)}${rows([['source', state.source]])}`;
  }
  const { reason, source, facts } = state;
  const heading = `${host.out.paint('yellow', 'community mode')} (${reason}): what needs a licence goes to its fallback`;
  return [
    `${heading}\n`,
    facts === null ? '' : block(facts),
    rows([
      ['source', reason === 'none' ? null : source],
      ['why', sentenceOf(state)],
      ['remedy', REASONS[reason].remedy],
    ]),
  ].join('');
}

function block({ plan, features, subject, kid, issuedAt, notBefore, expiresAt }: LicenseFacts): string {
  return rows([
    ['plan', plan],
    ['features', features.join(' ') || 'none'],
    ['subject', subject],
    ['key', kid],
    ['issued', timeOf(issuedAt)],
    ['begins', timeOf(notBefore)],
    ['expires', timeOf(expiresAt)],
  ]);
}

/** A fact a line; those that there are not are left out. */
function rows(facts: readonly (readonly [string, string | null])[]): string {
  return facts
    .flatMap(([name, value]) => (value === null ? [] : `  ${name.padEnd(8)}  ${plain(value)}\n`))
    .join('');
}

const timeOf = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined ? null : new Date(ms).toISOString();
