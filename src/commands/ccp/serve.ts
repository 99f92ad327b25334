/** `ccp serve`: runs the proxy in the foreground until it is told to stop. */
import { setFlagsFromString } from 'node:v8';
import { plural } from '../../analysis/plural.ts';
import { createCcp, systemPorts } from '../../ccp.ts';
import { type CcpFlags, loadCcpSettings } from '../../config/ccp-settings.ts';
import { EXIT } from '../../errors.ts';
import { type Host, printWarnings } from '../shared/host.ts';
import { packageVersion } from '../shared/version.ts';

/** What streams under way get to finish when the proxy is asked to stop, in milliseconds. */
const GRACE_MS = 10_000;

/**
 * V8 lets garbage grow to 80 % of a young generation of 32 MB. Our garbage carries bodies outside the heap, 128 KB
 * an exchange, which count towards a limit of 64 MB that starts full collections; and 2,000 streams that wait are
 * charged for it (docs/decisions/0014).
 */
const COLLECT_AT_PERCENT = 30;

/** Gives the exit code: 0 after SIGTERM and SIGHUP, 130 after SIGINT; a second signal ends at once. */
export async function serve(host: Host, flags: CcpFlags): Promise<number> {
  setFlagsFromString(`--minor-gc-task-trigger=${COLLECT_AT_PERCENT}`);
  const { env, cwd, home, err } = host;
  const told = signals();
  const loaded = loadCcpSettings({ flags, env, cwd, home });
  printWarnings(host, 'ccp', loaded.warnings);
  const ports = systemPorts(packageVersion(), (line) => err.write(line));
  const { log } = ports;
  const ccp = createCcp(loaded, ports);
  // No timer of ours keeps the process alive, and a start may have nothing else to wait for.
  const awake = setInterval(() => {}, GRACE_MS);
  const address = await ccp.listen().finally(() => clearInterval(awake));
  log.info(`listening on ${address}, logs in ${loaded.settings.logsDir}`);
  log.info(`point clients at it: export ANTHROPIC_BASE_URL=${address}`);

  const first = await told.next();
  if (ccp.inflight() > 0)
    log.info(
      `${first}: waiting for ${plural(ccp.inflight(), 'exchange')}, at most ${GRACE_MS / 1000} s; once more ends at once`,
    );
  void told.next().then(ccp.cut);
  await ccp.close(GRACE_MS);
  told.stop();
  log.info('stopped');
  return first === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
}

interface Signals {
  next(): Promise<NodeJS.Signals>;
  stop(): void;
}

function signals(): Signals {
  const names: NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];
  const waiting: ((signal: NodeJS.Signals) => void)[] = [];
  /** Come before anybody asked: a start takes its time. */
  const early: NodeJS.Signals[] = [];
  const heard = (signal: NodeJS.Signals): void => {
    const next = waiting.shift();
    if (next === undefined) early.push(signal);
    else next(signal);
  };
  for (const name of names) process.on(name, heard);
  return {
    next: () => {
      const signal = early.shift();
      return signal === undefined
        ? new Promise((resolve) => void waiting.push(resolve))
        : Promise.resolve(signal);
    },
    stop: () => {
      for (const name of names) process.off(name, heard);
    },
  };
}
