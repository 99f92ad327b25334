import { resolve } from 'node:path';
import { EXIT, OperatorError } from '../../errors.ts';
import { systemIssuerPorts } from '../../issuer/issuer.ts';
import { isKid, makeSeedFile, publicLine } from '../../issuer/signing-key.ts';
import { type Host, printJson } from '../shared/host.ts';

export interface KeygenOptions {
  readonly out: string;
  readonly kid: string | undefined;
  readonly json: boolean;
}

/** `ccp issuer keygen`. The seed goes to the file and nowhere else. */
export function keygen(host: Host, { out, kid, json }: KeygenOptions): number {
  const { clock, random } = systemIssuerPorts((line) => host.err.write(line));
  const id = kid ?? `k${new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '')}`;
  if (!isKid(id)) {
    throw new OperatorError('USAGE', `--kid is ${JSON.stringify(id)}`, {
      hint: 'It must be 1 to 64 letters, digits, dots, underscores and hyphens, the first one a letter or a digit.',
    });
  }
  const file = resolve(host.cwd, out);
  const line = publicLine(makeSeedFile(file, id, random));
  if (json)
    printJson(host, {
      kid: id,
      file,
      public_key: line.slice(id.length + 1),
      setting: `CCP_LICENSE_PUBKEY_B64=${line}`,
    });
  else host.out.write(`CCP_LICENSE_PUBKEY_B64=${line}\n`);
  host.err.write(`The seed is in ${file}: keep it secret. The line above is public: every proxy needs it.\n`);
  return EXIT.ok;
}
