import { EXIT } from '../../errors.ts';
import { type Host, plain, printJson, type Style } from '../shared/host.ts';
import { table } from '../shared/table.ts';
import { type Diagnosis, diagnose } from './diagnose.ts';
import type { Finding } from './finding.ts';

/** `ccp doctor`: exit 1 where something is wrong. */
export async function doctor(host: Host, { json }: { readonly json: boolean }): Promise<number> {
  const diagnosis = await diagnose(host);
  if (json) printJson(host, diagnosis);
  else show(host, diagnosis);
  return diagnosis.findings.some(({ level }) => level === 'problem') ? EXIT.failed : EXIT.ok;
}

function show({ out }: Host, { settings, files, findings }: Diagnosis): void {
  const rows = settings.map(({ name, value, source }) => [name, value, source]);
  if (rows.length > 0) out.write(`${table(out, ['setting', 'value', 'source'], rows)}\n`);
  if (files.length > 0) {
    const fileRows = files.map(({ path, state }) => [path, state]);
    out.write(`${table(out, ['file', 'state'], fileRows)}\n`);
  }
  for (const { level, what, remedy } of findings) {
    out.write(`${out.paint(STYLES[level], level.padEnd('problem'.length))}  ${plain(what)}\n`);
    if (remedy !== undefined) out.write(`${' '.repeat('problem'.length)}  ${plain(remedy)}\n`);
  }
}

const STYLES: Readonly<Record<Finding['level'], Style>> = { ok: 'green', note: 'yellow', problem: 'red' };
