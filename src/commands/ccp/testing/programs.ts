/** Commands as processes of their own, with an environment and a home of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './served.ts';

const CCP = fileURLToPath(new URL('../../../../bin/ccp.js', import.meta.url));
export const DEV_INVITES = fileURLToPath(new URL('../../../../configs/invites.dev.json', import.meta.url));

export interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  out(): string;
  err(): string;
  /** Its exit code; null where a signal ended it. */
  readonly exited: Promise<number | null>;
}

/** A folder with a home in it. */
export interface Place extends Disposable {
  readonly cwd: string;
  readonly home: string;
  run(argv: readonly string[], env?: Readonly<Record<string, string>>): Running;
}

export function makePlace(): Place {
  const cwd = mkdtempSync(join(tmpdir(), 'ccp-place-'));
  const home = join(cwd, 'home');
  return {
    cwd,
    home,
    run(argv, env = {}) {
      const child = spawn(process.execPath, [CCP, ...argv], {
        cwd,
        env: { HOME: home, NO_COLOR: '1', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let [out, err] = ['', ''];
      child.stdout?.setEncoding('utf8').on('data', (piece: string) => (out += piece));
      child.stderr?.setEncoding('utf8').on('data', (piece: string) => (err += piece));
      const exited = new Promise<number | null>((resolve) => void child.once('close', resolve));
      return {
        child,
        out: () => out,
        err: () => err,
        exited,
        async [Symbol.asyncDispose]() {
          child.kill('SIGKILL');
          await exited;
        },
      };
    },
    [Symbol.dispose]: () => rmSync(cwd, { recursive: true, force: true }),
  };
}

export interface RunningIssuer extends Running {
  readonly url: string;
}

/** Runs `ccp issuer serve` on a free port; resolves when it listens. */
export async function startIssuerProcess(
  place: Place,
  { seedFile, invites = DEV_INVITES }: { readonly seedFile: string; readonly invites?: string },
): Promise<RunningIssuer> {
  const running = place.run([
    'issuer',
    'serve',
    '--port',
    '0',
    '--seed-file',
    seedFile,
    '--invites',
    invites,
  ]);
  const url = await until('the issuer listens', () => {
    if (running.child.exitCode !== null) throw new Error(`the issuer ended: ${running.err()}`);
    return /listening on (http:\S+),[^]*proxies need/.exec(running.err())?.[1];
  });
  return { ...running, url };
}
