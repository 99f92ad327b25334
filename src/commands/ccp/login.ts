/** `ccp license login`: gets a licence by one of three ways, and stores it once it is one that counts here. */
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { examinePack, type LicenseState, REASONS, sentenceOf, storePack } from '../../config/open-license.ts';
import { EXIT, OperatorError } from '../../errors.ts';
import { loginByDevice } from '../../issuer/client/device-login.ts';
import {
  createIssuerClient,
  type IssuerClient,
  type LicenseText,
} from '../../issuer/client/issuer-client.ts';
import { loginByLoopback } from '../../issuer/client/loopback-login.ts';
import { licenseOrThrow } from '../../issuer/client/refusal.ts';
import { type IssuerPorts, systemIssuerPorts } from '../../issuer/issuer.ts';
import { type Host, plain, printJson } from '../shared/host.ts';
import { warnOfOthers } from './license/license.ts';
import { openBrowser } from './license/open-browser.ts';
import { load } from './load.ts';

export interface LoginOptions {
  readonly issuer: string | undefined;
  readonly invite: string | undefined;
  readonly email: string | undefined;
  readonly browser: boolean;
  readonly loopback: boolean;
  readonly json: boolean;
}

/** Nothing is written before the licence was judged; an interrupt leaves neither a file nor a listener behind. */
export async function login(host: Host, options: LoginOptions): Promise<number> {
  if (options.email !== undefined && options.invite === undefined)
    throw new OperatorError('USAGE', '--email goes with --invite', {
      hint: 'The approval page asks for it itself.',
    });
  const loaded = load(host, { licenseIssuer: options.issuer });
  const ports = systemIssuerPorts((line) => host.err.write(line));
  using interrupt = listenForInterrupt();
  // Before an invite is used up for a licence that would lie there unused.
  warnOfOthers(host, loaded);
  const client = createIssuerClient(loaded.settings.licenseIssuer, interrupt.signal);
  await refuseUnknownKeys(loaded, client, ports);
  const text = await getLicense(host, options, { client, ports, signal: interrupt.signal });
  const { pack } = judge(examinePack(loaded, text, ports.clock.now()));
  storePack(loaded.paths.licensePack, pack);

  const { plan, features, kid, subject, expires_at } = pack.license;
  const path = loaded.paths.licensePack;
  if (options.json) printJson(host, { path, plan, features, kid, subject, expires_at });
  else
    host.out.write(
      plain(
        `Stored in ${path}: plan ${plan}, features ${features.join(', ') || 'none'}, until ${expires_at}.`,
      ).concat('\n'),
    );
  return EXIT.ok;
}

interface Way {
  readonly client: IssuerClient;
  readonly ports: IssuerPorts;
  readonly signal: AbortSignal;
}

async function getLicense(
  host: Host,
  options: LoginOptions,
  { client, ports, signal }: Way,
): Promise<LicenseText> {
  const tell = (...lines: readonly string[]): void =>
    host.err.write(lines.map((line) => `${plain(line)}\n`).join(''));
  const open = async (url: string): Promise<void> => {
    if (options.browser && !(await openBrowser(url, host.env)))
      tell('No browser could be opened here: open it yourself.');
  };
  if (options.invite !== undefined) {
    if (options.loopback) tell('The invite is enough: no approval page is needed.');
    return licenseOrThrow(await client.issue(options.invite, options.email ?? null));
  }
  if (options.loopback) {
    const show = async (url: string): Promise<void> => {
      tell('Approve in a browser on this machine:', `  ${url}`);
      await open(url);
    };
    return loginByLoopback(client, { show, random: ports.random, signal });
  }
  return loginByDevice(client, {
    async show({ user_code, verification_uri, verification_uri_complete, expires_in }) {
      const url = verification_uri_complete ?? verification_uri;
      tell('Approve in a browser, on this or any other machine:', `  ${url}`);
      tell(
        `The page must show this code, which is valid for ${Math.round(expires_in / 60)} minutes: ${user_code}`,
      );
      await open(url);
      tell('Waiting for the approval; Ctrl-C ends it.');
    },
    away: () => tell('The issuer does not answer; still trying.'),
    sleep: (ms) => sleep(ms, signal),
    monotonic: () => ports.clock.monotonic(),
  });
}

const NO_KEY: ReadonlySet<string> = new Set(['unknown_kid', 'no_keys']);

/** Asked before: an invite would be used up for a licence that this proxy cannot verify. */
async function refuseUnknownKeys(
  loaded: LoadedCcp,
  client: IssuerClient,
  { clock }: IssuerPorts,
): Promise<void> {
  const keys = await client.keys();
  const lacking = keys.map(({ kid, public_key }) => {
    const state = examinePack(loaded, JSON.stringify(unsigned(kid)), clock.now());
    return !state.ok && NO_KEY.has(state.reason) ? { kid, line: `${kid}=${public_key}` } : null;
  });
  const [first] = lacking;
  if (first !== undefined && first !== null && lacking.every((one) => one !== null))
    throw unknownKey(first.kid, first.line);
}

/** A licence of nobody: only whether its key is known can be told by it. */
function unsigned(kid: string): object {
  const times = { issued_at: '2000-01-01T00:00:00Z', expires_at: '2000-01-02T00:00:00Z' };
  const license = { kid, plan: 'none', features: [], subject: 'nobody', nonce: 'none', ...times };
  return { license, signature: Buffer.alloc(64).toString('base64') };
}

/** Throws `CHECK_FAILED` where the licence is worth nothing here. */
function judge(state: LicenseState): Extract<LicenseState, { ok: true }> {
  if (state.ok) return state;
  const { reason } = state;
  const remedy = NO_KEY.has(reason) ? ` ${REASONS[reason].remedy}` : '';
  throw new OperatorError(
    'CHECK_FAILED',
    `the issuer sent a licence that does not count (${reason}): ${sentenceOf(state)}`,
    { hint: `Nothing was stored.${remedy}` },
  );
}

function unknownKey(kid: string, line: string): OperatorError {
  return new OperatorError(
    'CHECK_FAILED',
    `this proxy does not know the key ${kid}, which the issuer signs with`,
    {
      hint: `Nothing was stored. If this is the line that whoever runs the issuer gave you, add it to CCP_LICENSE_PUBKEY_B64: ${line}`,
    },
  );
}

/** Keeps the process alive meanwhile, as a pending login must. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function listenForInterrupt(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const names: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const heard = (): void =>
    controller.abort(new OperatorError('INTERRUPTED', 'interrupted; nothing was stored'));
  for (const name of names) process.on(name, heard);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of names) process.off(name, heard);
    },
  };
}
