/** Who takes part: how each proxy is found and started. All listen on loopback, all get one upstream. */
import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Place {
  readonly port: number;
  readonly upstreamPort: number;
  /** A folder of its own, empty, removed afterwards. */
  readonly folder: string;
}

export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  /** Everything the process sees of the environment, beside PATH. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Contestant {
  readonly name: string;
  /** Takes part only when asked for (`--peers`). */
  readonly peer: boolean;
  /** Why it can't take part on this machine; null where it can. */
  missing(): string | null;
  /** What to start; null for the way without a proxy. */
  launch(place: Place): Launch | null;
  /** Headers it wants on each request to know where to go. */
  headers?(place: Place): Readonly<Record<string, string>>;
  /** Whether it must pass answers on unchanged; peers may rewrite them. */
  readonly verbatim: boolean;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PORTKEY = join(ROOT, 'node_modules/@portkey-ai/gateway/build/start-server.js');

export const CONTESTANTS: readonly Contestant[] = [
  { name: 'direct', peer: false, verbatim: true, missing: () => null, launch: () => null },
  {
    name: 'nginx',
    peer: false,
    verbatim: true,
    missing: () => whenNotFound('nginx'),
    launch: (place) => ({
      file: onPath('nginx') ?? 'nginx',
      args: ['-c', nginxConfig(place), '-e', 'stderr'],
    }),
  },
  onNode('node-pipe', new URL('./node-pipe.ts', import.meta.url)),
  // What no proxy on node:http and undici can be below.
  onNode('node-dispatch', new URL('./node-dispatch.ts', import.meta.url)),
  ccp('ccp'),
  // What the store costs: the same without it.
  ccp('ccp-no-store', { CCP_PERSIST: '0' }),
  {
    name: 'portkey',
    peer: true,
    verbatim: false,
    missing: () => (existsSync(PORTKEY) ? null : '@portkey-ai/gateway is not installed in node_modules'),
    launch: ({ port }) => ({ file: process.execPath, args: [PORTKEY, `--port=${port}`, '--headless'] }),
    headers: ({ upstreamPort }) => ({
      'x-portkey-provider': 'anthropic',
      'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
    }),
  },
  {
    name: 'mitmproxy',
    peer: true,
    verbatim: false,
    missing: () => whenNotFound('mitmdump'),
    launch: ({ port, upstreamPort, folder }) => ({
      file: onPath('mitmdump') ?? 'mitmdump',
      args: [
        `--mode=reverse:http://127.0.0.1:${upstreamPort}`,
        '--listen-host=127.0.0.1',
        `--listen-port=${port}`,
        '--quiet',
        `--set=confdir=${folder}`,
        '--set=stream_large_bodies=1',
      ],
      env: { HOME: folder },
    }),
  },
];

// Debian keeps servers in sbin, which is not on everybody's PATH.
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

function onPath(program: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, program)).find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const whenNotFound = (program: string): string | null =>
  onPath(program) === null ? `no ${program} on the PATH` : null;

/**
 * nginx at its best for this work: one process, answers passed on as they come, connections to the upstream
 * kept, request bodies held in memory (it reads them whole before it connects) and no access log.
 */
function nginxConfig({ port, upstreamPort, folder }: Place): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    file,
    `daemon off; master_process off; worker_rlimit_nofile 16384; error_log stderr crit; pid ${folder}/nginx.pid;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 1000000000; client_max_body_size 64m; client_body_buffer_size 256k;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  upstream benchmark { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://benchmark; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_read_timeout 600s;
    }
  }
}
`,
  );
  return file;
}

/** A script that is given its port and the upstream's. */
function onNode(name: string, script: URL): Contestant {
  return {
    name,
    peer: false,
    verbatim: true,
    missing: () => null,
    launch: ({ port, upstreamPort }) => ({
      file: process.execPath,
      args: [fileURLToPath(script), String(port), String(upstreamPort)],
    }),
  };
}

function ccp(name: string, env: Readonly<Record<string, string>> = {}): Contestant {
  return {
    name,
    peer: false,
    verbatim: true,
    missing: () =>
      existsSync(join(ROOT, 'src/commands/ccp/main.ts')) ? null : 'src/commands/ccp is not there',
    launch: ({ port, upstreamPort, folder }) => ({
      file: process.execPath,
      args: [join(ROOT, 'bin/ccp.js'), 'serve', '--port', String(port), '--host', '127.0.0.1'],
      env: {
        HOME: folder,
        XDG_CONFIG_HOME: join(folder, 'config'),
        XDG_STATE_HOME: join(folder, 'state'),
        CCP_LOGS_DIR: join(folder, 'logs'),
        CCP_ANTHROPIC_BASE_URL: `http://127.0.0.1:${upstreamPort}`,
        CCP_ZAI_BASE_URL: `http://127.0.0.1:${upstreamPort}`,
        ZAI_API_KEY: 'made-up-for-the-benchmark',
        ...env,
      },
    }),
  };
}
