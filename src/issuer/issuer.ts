/** The issuer, put together: hands out licences for invites, at once, to a device, or to a program on this machine. */
import { type Clock, systemClock } from '../platform/clock.ts';
import { createLog, type Log } from '../platform/log.ts';
import { type Random, systemRandom } from '../platform/random.ts';
import { createAudit } from './audit.ts';
import { createCodeGrants } from './code-grants.ts';
import { createDesk } from './desk.ts';
import { createDeviceGrants } from './device-grants.ts';
import { authorizeAnswer, authorizePage } from './endpoints/authorize.ts';
import { deviceCodeEndpoint, deviceTokenEndpoint } from './endpoints/device.ts';
import { deviceAnswer, devicePage } from './endpoints/device-page.ts';
import { issueEndpoint } from './endpoints/issue.ts';
import { keysEndpoint } from './endpoints/keys.ts';
import { createLimits, limited } from './endpoints/limits.ts';
import { tokenEndpoint } from './endpoints/token.ts';
import { createCsrf } from './http/csrf.ts';
import { createIssuerServer, type IssuerServer } from './http/server.ts';
import { type Endpoint, json } from './http/visit.ts';
import type { Invites } from './invites.ts';
import type { SigningKey } from './signing-key.ts';
import { takeStateFolder } from './state-folder.ts';
import { createUses } from './uses.ts';

export interface IssuerOptions {
  readonly key: SigningKey;
  readonly invites: Invites;
  /** Where uses of invites and the audit log are kept; made where it is missing. Absolute. */
  readonly stateDir: string;
  /** The https origin under which a proxy in front offers the issuer; null: reached on loopback only. */
  readonly publicUrl: URL | null;
}

export interface IssuerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The real world; `write` takes the program's own messages, a line each. */
export function systemIssuerPorts(write: (line: string) => void): IssuerPorts {
  return { clock: systemClock, random: systemRandom, log: createLog('ccp issuer', write) };
}

/** Nothing listens before `listen`. Throws where the state folder cannot be used. */
export function createIssuer(
  { key, invites, stateDir, publicUrl }: IssuerOptions,
  ports: IssuerPorts,
): IssuerServer {
  const { clock, random, log } = ports;
  takeStateFolder(stateDir);
  const audit = createAudit(stateDir, ports);
  const desk = createDesk({ key, invites, uses: createUses(stateDir), audit, clock, random });
  const grants = createDeviceGrants(ports);
  const codes = createCodeGrants(ports);
  const limits = createLimits(clock);
  const csrf = createCsrf(random);
  const device = { grants, desk, audit };
  const forms = { desk, csrf, limits, audit };

  const endpoints: Readonly<Record<string, Endpoint>> = {
    'GET /v1/keys': keysEndpoint(key),
    'POST /v1/license/issue': issueEndpoint({ desk, limits }),
    'POST /v1/device/code': limited(limits.devices, deviceCodeEndpoint(device)),
    'POST /v1/device/token': deviceTokenEndpoint(device),
    'GET /device': devicePage({ ...forms, grants }),
    'POST /device': deviceAnswer({ ...forms, grants }),
    'GET /authorize': authorizePage({ ...forms, codes }),
    'POST /authorize': authorizeAnswer({ ...forms, codes }),
    'POST /v1/token': tokenEndpoint({ codes, desk }),
  };
  const counted = Object.entries(endpoints).map(
    ([name, endpoint]) => [name, limited(limits.requests, endpoint)] as const,
  );
  const health: Endpoint = () => json(200, { status: 'ok' });
  return createIssuerServer({ endpoints: new Map([...counted, ['GET /healthz', health]]), publicUrl, log });
}
