/** A process to run commands in for tests: a folder of its own, and screens that remember. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Host, Screen } from '../host.ts';

export interface TestHost extends Host, Disposable {
  /** What was written since the last question. */
  said(): { readonly out: string; readonly err: string };
  /** Writes a file under the working directory or, with `~/`, the home; gives its path. */
  write(name: string, text: string): string;
  /** What standard input holds. */
  typed: string;
}

/** Makes the folders; disposing of it removes them. */
export function createTestHost(env: NodeJS.ProcessEnv = {}): TestHost {
  const root = mkdtempSync(join(tmpdir(), 'ccp-commands-'));
  const cwd = join(root, 'project');
  const home = join(root, 'home');
  mkdirSync(cwd);
  const out = memoryScreen();
  const err = memoryScreen();
  const host: TestHost = {
    env,
    cwd,
    home,
    out,
    err,
    said: () => ({ out: out.take(), err: err.take() }),
    write(name, text) {
      const path = name.startsWith('~/') ? join(home, name.slice(2)) : join(cwd, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      return path;
    },
    typed: '',
    input: { isTerminal: false, read: async () => Buffer.from(host.typed) },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
  return host;
}

function memoryScreen(): Screen & { take(): string } {
  let written = '';
  return {
    write(text) {
      written += text;
    },
    isTerminal: false,
    width: 80,
    paint: (_, text) => text,
    take() {
      const taken = written;
      written = '';
      return taken;
    },
  };
}
