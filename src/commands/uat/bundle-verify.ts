import { loadSelftestText, loadSignOff, plural, type Verification } from '../../ccp-uat.ts';
import { EXIT, OperatorError } from '../../errors.ts';
import { type Host, plain, printJson } from '../shared/host.ts';
import { bundleFile } from './bundle-file.ts';
import { open } from './load.ts';

export interface VerifyFlags {
  readonly pubkey?: string;
  readonly expectSha256?: string;
  readonly json?: boolean;
}

/** `ccp-uat bundle verify`: exit 1 with the reason where the bundle is not to be believed, whatever its verdict. */
export async function verifyBundle(
  host: Host,
  typed: string | undefined,
  { pubkey, expectSha256, json = false }: VerifyFlags,
): Promise<number> {
  const { uat, settings } = open(host);
  const file = await bundleFile(host, typed, settings.resultsDir);
  const verification = await uat.verifyBundle(file, {
    pubkey,
    expectSha256: hashIn(expectSha256),
  });
  if (json) printJson(host, verification);
  else
    host.out.write(textOf(host, verification, { ...(await loadSelftestText()), ...(await loadSignOff()) }));
  return verification.ok ? EXIT.ok : EXIT.failed;
}

function hashIn(typed: string | undefined): string | undefined {
  const hash = typed?.toLowerCase();
  if (hash === undefined || /^[0-9a-f]{64}$/.test(hash)) return hash;
  throw new OperatorError('USAGE', `${typed} is no SHA-256`, { hint: 'It is 64 hexadecimal digits.' });
}

const SIGNATURES = {
  valid: 'Signed by the key that was named.',
  unchecked: 'It has a signature, which was not checked: name the key with --pubkey.',
  none: 'It is not signed.',
} as const;

type Words = Pick<Awaited<ReturnType<typeof loadSelftestText>>, 'saboteurWords'> &
  Pick<Awaited<ReturnType<typeof loadSignOff>>, 'wholeIn'>;

function textOf({ out }: Host, verification: Verification, { saboteurWords, wholeIn }: Words): string {
  if (!verification.ok) {
    const { reason, sentence } = verification;
    return `${out.paint('red', 'REFUSED')}  ${reason}\n${plain(sentence)}\n`;
  }
  const { summary, files, signature, bound, sha256, attested } = verification;
  return [
    `${out.paint('green', 'GOOD')}  ${summary.bundle}: ${plural(files, 'file')}, each as listed; the evidence, judged again, gives the same verdict.\n`,
    `SHA-256 ${sha256}\n${SIGNATURES[signature]}\n`,
    bound
      ? ''
      : 'Nothing ties it to what was handed over: it proves integrity only against its own manifest. Give --pubkey or --expect-sha256.\n',
    ...(attested.length === 0
      ? []
      : [
          `Nothing else in it gives the following; only hash and signature speak for it:\n`,
          ...attested.map((what) => `  ${plain(what)}\n`),
        ]),
    ...summary.missing.map(({ what, why }) => `missing: ${plain(what)}: ${plain(why)}\n`),
    ...summary.runs.map(
      ({ suite, outcome, ending, saboteurs }) =>
        `  ${outcome}  ${suite}, ${ending}${saboteurs === undefined ? '' : `, ${saboteurWords(saboteurs)}`}\n`,
    ),
    `The verdict in it: ${wholeIn(summary)}.\n`,
  ].join('');
}
