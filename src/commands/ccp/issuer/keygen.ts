import { resolve } from 'node:path';
import { readLayers } from '../../../config/layers.ts';
import { EXIT, OperatorError } from '../../../errors.ts';
import { systemIssuerPorts } from '../../../issuer/issuer.ts';
import { isKid, makeSeedFile, publicLine } from '../../../issuer/signing-key.ts';
import { type Host, printJson, printWarnings } from '../../shared/host.ts';

/** What a key signs → the setting of the proxies that shall believe it; null where no proxy is asked. */
const SETTINGS = { licences: 'CCP_LICENSE_PUBKEY_B64', policy: 'CCP_POLICY_PUBKEY', bundles: null } as const;

const ADVICE = {
  licences: 'every proxy needs it',
  policy: 'every proxy needs it',
  bundles:
    'give it to whoever verifies your bundles ("ccp-uat bundle verify FILE --pubkey KEY"), by another way than the bundle',
} as const;

export interface KeygenOptions {
  readonly for: keyof typeof SETTINGS;
  readonly out: string;
  readonly kid: string | undefined;
  readonly json: boolean;
}

/** `ccp issuer keygen`. The seed goes to the file and nowhere else. Throws `CONFIG` where a settings file can't be read. */
export function keygen(host: Host, { for: use, out, kid, json }: KeygenOptions): number {
  const { clock, random } = systemIssuerPorts((line) => host.err.write(line));
  const id = kid ?? kidOf(clock.now(), random.bytes(2));
  if (!isKid(id)) {
    throw new OperatorError('USAGE', `--kid is ${JSON.stringify(id)}`, {
      hint: 'It must be 1 to 64 letters, digits, dots, underscores and hyphens, the first one a letter or a digit.',
    });
  }
  const warnings = use === 'licences' ? keysBefore(host) : [];
  const file = resolve(host.cwd, out);
  const line = publicLine(makeSeedFile(file, id, random));
  const variable = SETTINGS[use];
  const setting = variable === null ? null : `${variable}=${line}`;
  if (json) printJson(host, { kid: id, file, public_key: line.slice(id.length + 1), setting });
  else host.out.write(`${setting ?? line}\n`);
  host.err.write(
    `The seed is in ${file}: keep it secret. ${json ? 'The public key' : 'The line on standard output'} is public: ${ADVICE[use]}.\n`,
  );
  printWarnings(host, 'ccp', warnings);
  return EXIT.ok;
}

/** Warns of keys that whoever sets the new one alone would lose. */
function keysBefore({ env, cwd, home }: Host): string[] {
  const { licences } = SETTINGS;
  const before = readLayers({ env, cwd, home }).layers.find(
    ({ trusted, values }) => trusted && Boolean(values[licences]?.trim()),
  );
  return before === undefined
    ? []
    : [
        `${licences} is set already (${before.label}): a second line takes its place, and licences of the keys there count no more; to keep them, give both in one line, separated by a comma`,
      ];
}

/** The date, and a tail: two keys of one day are two. */
const kidOf = (now: number, tail: Buffer): string =>
  `k${new Date(now).toISOString().slice(0, 10).replaceAll('-', '')}-${tail.toString('hex')}`;
