/**
 * The real client: one `claude -p` against a base URL, in a home of its own, logged in with what the run
 * made up. No flag makes it less than real: against a mock it takes about half a second as it is.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { shellLine } from '../../platform/shell-line.ts';
import { childEnvironment, type Home } from '../environment.ts';
import { runGroup } from '../process-group.ts';
import type { ClaudeCredentials, ClaudeRun } from '../types/client.ts';

export interface ClaudeOptions {
  readonly binary: string;
  /** What it takes for Anthropic: the relay in front of the target. */
  readonly url: string;
  readonly model: string;
  readonly prompt: string;
  /** Nobody else's: its configuration, its session files and its working directory lie there. */
  readonly home: Home;
  readonly credentials: ClaudeCredentials;
  /** What its `settings.json` holds; default: there is none. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Further arguments, after the ones that a run always needs. */
  readonly extraArgs?: readonly string[];
}

/** Of the made-up login: far enough that no run needs to refresh it. */
const LOGIN_LASTS_MS = 365 * 86_400_000;

/** Rejects with NOT_READY where the binary cannot be started; everything else is in the result. */
export async function runClaude(options: ClaudeOptions): Promise<ClaudeRun> {
  const { binary, home, credentials, settings } = options;
  const config = path.join(home.home, '.claude');
  await mkdir(config, { recursive: true, mode: 0o700 });
  if (credentials.kind === 'oauth') await storeLogin(config, credentials);
  if (settings !== undefined)
    await writeFile(path.join(config, 'settings.json'), JSON.stringify(settings), { mode: 0o600 });
  const args = [
    '-p',
    '--model',
    options.model,
    options.prompt,
    '--output-format',
    'json',
    ...(options.extraArgs ?? []),
  ];
  const startedAt = Date.now();
  const result = await runGroup({
    file: binary,
    args,
    env: childEnvironment({ home, extra: claudeVariables({ url: options.url, config, credentials }) }),
    cwd: home.work,
    timeoutMs: options.timeoutMs,
    signal: options.signal,
  });
  options.signal?.throwIfAborted();
  const report = parseReport(result.stdout);
  const { exitCode, timedOut, stderr } = result;
  return {
    startedAt,
    ms: result.ms,
    exitCode,
    timedOut,
    ok: exitCode === 0 && report?.is_error === false,
    text: typeof report?.result === 'string' ? report.result : '',
    ...readTokens(report?.usage),
    report,
    stderr,
    reproduce: shellLine(['claude', ...args]),
  };
}

/** What Claude Code is told by its environment, beside the home that every child has. */
function claudeVariables({
  url,
  config,
  credentials,
}: {
  readonly url: string;
  readonly config: string;
  readonly credentials: ClaudeCredentials;
}): Readonly<Record<string, string>> {
  return {
    ANTHROPIC_BASE_URL: url,
    CLAUDE_CONFIG_DIR: config,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    NO_PROXY: '127.0.0.1,localhost',
    ...(credentials.kind === 'key'
      ? // Measured: with a key and the two switches above it connects to nothing but the base URL. So it gets
        // no proxy, under which it would leave out the `HEAD /` that a person's Claude Code begins with.
        { ANTHROPIC_API_KEY: credentials.key }
      : // A stored login also asks api.anthropic.com about itself, made-up bearer in hand.
        { HTTPS_PROXY: credentials.outside.proxyUrl, NODE_EXTRA_CA_CERTS: credentials.outside.caFile }),
  };
}

/** Writes the login as the client itself stores it where there is no keychain. */
async function storeLogin(
  config: string,
  { token, refreshToken }: Extract<ClaudeCredentials, { kind: 'oauth' }>,
): Promise<void> {
  const login = {
    claudeAiOauth: {
      accessToken: token,
      refreshToken,
      expiresAt: Date.now() + LOGIN_LASTS_MS,
      scopes: ['user:inference', 'user:profile'],
      subscriptionType: 'max',
      rateLimitTier: 'default_claude_max_20x',
    },
  };
  await writeFile(path.join(config, '.credentials.json'), JSON.stringify(login), { mode: 0o600 });
}

function parseReport(stdout: string): ClaudeRun['report'] {
  try {
    const report: unknown = JSON.parse(stdout);
    return isRecord(report) ? report : null;
  } catch {
    return null;
  }
}

function readTokens(usage: unknown): Pick<ClaudeRun, 'tokens'> {
  if (!isRecord(usage)) return {};
  const count = (name: string) => (typeof usage[name] === 'number' ? usage[name] : 0);
  return {
    tokens: {
      input: count('input_tokens'),
      output: count('output_tokens'),
      cacheRead: count('cache_read_input_tokens'),
      cacheWrite: count('cache_creation_input_tokens'),
    },
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
