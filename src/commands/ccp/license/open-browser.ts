import { spawn } from 'node:child_process';

/**
 * Opens a page in the person's browser: what `BROWSER` names (with `%s` where the address goes), else what the
 * desktop has for it. False where there is none, or it cannot be started. No shell sees the address.
 */
export async function openBrowser(
  url: string,
  env: NodeJS.ProcessEnv,
  platform = process.platform,
): Promise<boolean> {
  const command = browserCommand(url, env, platform);
  if (command === null) return false;
  const [file, ...args] = command;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const child = spawn(file, args, { env, stdio: 'ignore', detached: true });
  child.once('spawn', () => resolve(true)).once('error', () => resolve(false));
  child.unref();
  return promise;
}

/** Exported for its tests. */
export function browserCommand(
  url: string,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
): readonly [string, ...string[]] | null {
  // Several may be listed, by colons, the best one first.
  const [file, ...args] = (env['BROWSER'] ?? '').split(':', 1).join('').trim().split(/\s+/);
  if (file !== undefined && file !== '')
    return args.some((arg) => arg.includes('%s'))
      ? [file, ...args.map((arg) => arg.replaceAll('%s', () => url))]
      : [file, ...args, url];
  if (platform === 'darwin') return ['open', url];
  // Without a screen xdg-open would start a browser for the terminal, in the midst of our output.
  const screen = env['DISPLAY'] ?? env['WAYLAND_DISPLAY'] ?? '';
  return platform === 'linux' && screen !== '' ? ['xdg-open', url] : null;
}
