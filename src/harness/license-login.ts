/**
 * `ccp license login` for real (RFC 8628): an issuer of the run's own signs with the run's key, the command asks it,
 * and the harness plays the person who opens the page and approves.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../errors.ts';
import type { Artifact } from '../protocol/witness.ts';
import { findFreePort } from './ports.ts';
import { printedBy } from './printed.ts';
import type { ProcessGroup } from './process-group.ts';
import type { Target } from './types/target.ts';
import type { Canaries, Licenses } from './types/world.ts';

const POLL_MS = 20;
const READY_MS = 10_000;
/** The command polls every five seconds until it hears of the approval. */
const LOGIN_MS = 20_000;

export interface LoginOptions {
  readonly target: Pick<Target, 'startCcp'>;
  readonly licenses: Pick<Licenses, 'seed' | 'pack'>;
  readonly canaries: Pick<Canaries, 'inviteCode' | 'add'>;
  /** Absolute, of the run's own and gone after it: what is written there is secret. */
  readonly folder: string;
}

/** The licence is stored for the target when this resolves. Rejects with NOT_READY or CHECK_FAILED. */
export async function logIn({
  target,
  licenses,
  canaries,
  folder,
}: LoginOptions): Promise<readonly Artifact[]> {
  const { inviteCode } = canaries;
  const state = path.join(folder, 'issuer');
  await mkdir(state, { recursive: true, mode: 0o700 });
  const [seedFile, invites] = [path.join(state, 'seed'), path.join(state, 'invites.json')];
  await writeFile(seedFile, `${licenses.seed}\n`, { mode: 0o600 });
  await writeFile(invites, invitesFor(inviteCode), { mode: 0o600 });

  const port = String(await findFreePort());
  const records = path.join(state, 'records');
  const serve = [
    'issuer',
    'serve',
    '--port',
    port,
    '--seed-file',
    seedFile,
    '--invites',
    invites,
    '--state',
    records,
  ];
  await using issuer = await target.startCcp(serve);
  const url = `http://127.0.0.1:${port}`;
  await until(issuer, READY_MS, async () => (await answers(`${url}/device`)) || undefined);

  const args = ['license', 'login', '--issuer', url, '--no-browser'];
  await using login = await target.startCcp(args);
  const pattern = new RegExp(`${url}/device\\?user_code=[\\w-]+`);
  const page = await until(login, READY_MS, async () => pattern.exec(login.output())?.[0]);
  await approve(page, inviteCode);
  const { exitCode } = await endOf(login, LOGIN_MS);
  const printed = printedBy(args, { exitCode, stdout: login.stdout(), stderr: login.stderr() });
  await issuer.stop();
  await plantFingerprintKey(path.join(records, 'fingerprint.key'), canaries);
  return [printed, { place: 'ccp issuer serve', text: issuer.output() }, ...(await recordsIn(records))];
}

const invitesFor = (code: string): string =>
  JSON.stringify({
    invites: [{ code, plan: 'trial', features: ['zai_offload'], days: 1, max_uses: 1 }],
  });

/** As a browser does: the form as it came, with its hidden fields and its cookie. */
async function approve(page: string, inviteCode: string): Promise<void> {
  const form = await fetch(page);
  const fields = [...(await form.text()).matchAll(/<input\b[^>]*>/g)].flatMap(([input]) => {
    const [name, value] = ['name', 'value'].map((key) => new RegExp(`\\b${key}="([^"]*)"`).exec(input)?.[1]);
    return name === undefined ? [] : [[name, unescape(value ?? '')] as const];
  });
  const { origin, pathname } = new URL(page);
  const answer = await fetch(`${origin}${pathname}`, {
    method: 'POST',
    headers: {
      cookie: form.headers
        .getSetCookie()
        .map((cookie) => cookie.split(';', 1)[0])
        .join('; '),
      origin,
    },
    body: new URLSearchParams({ ...Object.fromEntries(fields), invite_code: inviteCode, answer: 'approve' }),
  });
  if (!answer.ok)
    throw new OperatorError('CHECK_FAILED', `the issuer's page answered an approval with ${answer.status}`);
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['#39', "'"],
]);

const unescape = (html: string): string =>
  html.replaceAll(/&(#?\w+);/g, (all, name: string) => ENTITIES.get(name) ?? all);

/** Asks until there is something; rejects where the program ends, or time is up, before. */
async function until<T>(group: ProcessGroup, limitMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    const ended = await Promise.race([group.exited, sleep(POLL_MS)]);
    if (ended !== undefined || performance.now() > deadline) throw silent(group);
  }
}

const silent = (group: ProcessGroup): OperatorError =>
  new OperatorError(
    'NOT_READY',
    `a command for the login did not come so far; it printed:\n${group.output().trimEnd()}`,
  );

async function endOf(group: ProcessGroup, limitMs: number): ReturnType<ProcessGroup['stop']> {
  const exit = await Promise.race([group.exited, sleep(limitMs, undefined, { ref: false })]);
  if (exit === undefined) throw silent(group);
  return exit;
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** With it one could tell from the audit log who was there. It is bytes, so it is searched for as a text may hold them. */
async function plantFingerprintKey(file: string, canaries: Pick<Canaries, 'add'>): Promise<void> {
  const key = await readFile(file).catch(() => Buffer.alloc(0));
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    const text = key.toString(encoding).replaceAll('=', '');
    if (text !== '') canaries.add(`fingerprint-key:${encoding}`, text);
  }
}

/** What the issuer put on record; its state holds secrets besides. */
async function recordsIn(folder: string): Promise<readonly Artifact[]> {
  const names = await readdir(folder).catch(() => []);
  const records = names.filter((name) => name.endsWith('.jsonl'));
  return Promise.all(
    records.map(async (name) => ({
      place: `issuer/${name}`,
      text: await readFile(path.join(folder, name), 'utf8'),
    })),
  );
}
