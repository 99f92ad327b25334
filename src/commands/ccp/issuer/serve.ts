/** `ccp issuer serve`: hands out licences until it is told to stop. */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { host as hostKind, type Kind, port as portKind } from '../../../config/kinds.ts';
import { readSmallFile } from '../../../config/read-small-file.ts';
import { EXIT, OperatorError } from '../../../errors.ts';
import { type Invites, parseInvites } from '../../../issuer/invites.ts';
import { createIssuer, systemIssuerPorts } from '../../../issuer/issuer.ts';
import { publicLine } from '../../../issuer/signing-key.ts';
import type { Host } from '../../shared/host.ts';
import { load } from '../load.ts';
import { signingKey } from './key.ts';

/** As they were typed. */
export interface ServeFlags {
  readonly port: string;
  readonly host: string;
  readonly publicUrl?: string;
  readonly invites?: string;
  readonly state?: string;
  readonly seedFile?: string;
}

/** Comes with the project, for trying things out. */
const DEV_INVITE = 'DEV-TRIAL-7D';
const DEV_INVITES = fileURLToPath(new URL('../../../../configs/invites.dev.json', import.meta.url));

/** Gives the exit code: 0 after SIGTERM, 130 after SIGINT. */
export async function serveIssuer(host: Host, flags: ServeFlags): Promise<number> {
  const port = readFlag('--port', portKind, flags.port);
  const address = readFlag('--host', hostKind, flags.host);
  const publicUrl = flags.publicUrl === undefined ? null : readPublicUrl(flags.publicUrl);
  if (publicUrl === null && !isLoopback(address)) {
    throw new OperatorError(
      'CONFIG',
      `--host is ${address}, which is not loopback, and --public-url is not given`,
      {
        hint: 'Licences go over https or loopback only: put a proxy with TLS in front and name its address with --public-url.',
      },
    );
  }
  const loaded = load(host);
  const key = signingKey(loaded, flags.seedFile);
  const invites = readInvites(
    flags.invites === undefined
      ? join(dirname(loaded.paths.settingsFile), 'invites.json')
      : resolve(host.cwd, flags.invites),
  );
  const stateDir =
    flags.state === undefined ? join(loaded.paths.stateDir, 'issuer') : resolve(host.cwd, flags.state);
  const ports = systemIssuerPorts((line) => host.err.write(line));
  const issuer = createIssuer({ key, invites, stateDir, publicUrl }, ports);
  const told = firstSignal();
  const bound = await issuer.listen(port, address).catch((error: NodeJS.ErrnoException) => {
    throw listenError(error, address, port);
  });
  const shown = address.includes(':') ? `[${address}]` : address;
  ports.log.info(`listening on http://${shown}:${bound}, invites: ${invites.count}, state in ${stateDir}`);
  if (publicUrl !== null) {
    ports.log.info(`offered as ${publicUrl.origin} by the proxy in front`);
    if (invites.find(DEV_INVITE) !== undefined)
      ports.log.warn(`everybody knows the invite ${DEV_INVITE}: take it out of the invite file`);
  }
  ports.log.info(`proxies need: CCP_LICENSE_PUBKEY_B64=${publicLine(key)}`);
  const signal = await told;
  await issuer.close();
  return signal === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
}

function readInvites(path: string): Invites {
  const content = readSmallFile(path);
  if (content !== null) return parseInvites(content, path);
  throw new OperatorError('CONFIG', `there is no invite file ${path}`, {
    hint: `Name one with --invites; ${DEV_INVITES} is one for trying things out.`,
  });
}

function readFlag<T>(flag: string, { schema, allowed }: Kind<T>, text: string): T {
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new OperatorError('USAGE', `${flag} is ${JSON.stringify(text)}`, { hint: `It must be ${allowed}.` });
}

function readPublicUrl(text: string): URL {
  const url = URL.parse(text);
  const isOrigin = url !== null && url.protocol === 'https:' && `${url.origin}/` === url.href;
  if (isOrigin) return url;
  throw new OperatorError(
    'USAGE',
    `--public-url is ${JSON.stringify(text.replace(/\/\/[^/@]*@/g, '//…@'))}`,
    {
      hint: 'It must be an https address without path, query and credentials, e.g. https://licences.example.',
    },
  );
}

const isLoopback = (address: string): boolean =>
  address === 'localhost' || address === '::1' || /^127(\.\d{1,3}){3}$/.test(address);

function listenError(error: NodeJS.ErrnoException, address: string, port: number): Error {
  const codes: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is taken',
    EACCES: 'this user may not listen on this port',
    EADDRNOTAVAIL: 'it is no address of this machine',
    ENOTFOUND: 'it is no address of this machine',
  };
  const why = codes[error.code ?? ''];
  if (why === undefined) return error;
  return new OperatorError('NOT_READY', `cannot listen on ${address}, port ${port}: ${why}`, {
    hint: 'Choose another with --port or --host.',
    cause: error,
  });
}

function firstSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve: tell } = Promise.withResolvers<NodeJS.Signals>();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(name, () => tell(name));
  return promise;
}
