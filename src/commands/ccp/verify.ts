import { join, resolve } from 'node:path';
import { auditRouting, formatAudit } from '../../analysis/verify-routing.ts';
import { applyCachedPolicy } from '../../config/open-policy.ts';
import { EXIT, OperatorError, systemReason } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import { type LogFile, openLogFiles } from '../shared/log-files.ts';
import { commandLog, load, openRoutingNow } from './load.ts';

export interface VerifyOptions {
  /** The live one where it is not given. */
  readonly log: string | undefined;
  /** Also reads the rotated copies beside it. */
  readonly rotated: boolean;
  readonly json: boolean;
}

/** `ccp verify`: exit 1 where the log tells of an exchange on the wrong lane, or of none at all. */
export async function verify(host: Host, { log, rotated, json }: VerifyOptions): Promise<number> {
  const loaded = load(host);
  await using routing = openRoutingNow(loaded, commandLog(host));
  applyCachedPolicy(routing, loaded, Date.now());
  const path = log === undefined ? join(loaded.settings.logsDir, 'usage.jsonl') : resolve(host.cwd, log);
  const audit = await auditRouting(await openLogs(path, rotated), {
    routedToZai: (model) => routing.explicitRoute(model)?.id === 'zai',
    routedToAnth: (model) => routing.explicitRoute(model)?.id === 'anth',
  });
  if (json) printJson(host, audit);
  else host.out.write(formatAudit(audit));
  if (audit.lines === 0) host.err.write(`ccp: ${nothingIn(rotated)}, so nothing is proven\n`);
  return audit.violations.count === 0 && audit.lines > 0 ? EXIT.ok : EXIT.failed;
}

const nothingIn = (rotated: boolean): string =>
  rotated
    ? 'the log and its rotated copies hold no readable line'
    : 'the log holds no readable line (--rotated reads its rotated copies, too)';

async function openLogs(path: string, rotated: boolean): Promise<LogFile[]> {
  try {
    return await openLogFiles(path, { rotated });
  } catch (error) {
    const why = error instanceof Error ? `: ${systemReason(error)}` : '';
    throw new OperatorError('NOT_READY', `the log ${path} cannot be read${why}`, {
      hint: 'It is written by "ccp serve"; CCP_LOGS_DIR and CCP_PROFILE say where.',
      cause: error,
    });
  }
}
