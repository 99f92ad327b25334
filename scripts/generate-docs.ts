/**
 * Writes the documents that follow from the code: the settings from their declarations, the reasons of licences, the
 * JSON Schemas of usage events, run records and self-tests, and the OpenAPI document of the meter, from their zod schemas. `--check` writes nothing and exits 1 naming what is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { CCP_DECLARATIONS, CCP_SECRETS, PROFILE_DEFAULTS } from '../src/config/ccp-declarations.ts';
import type { Declarations, Setting } from '../src/config/setting.ts';
import { UAT_DECLARATIONS, UAT_SECRETS } from '../src/config/uat-declarations.ts';
import { REASONS } from '../src/features/license/reasons.ts';
import { openApi } from '../src/features/usage/openapi.ts';
import { usageEventSchema } from '../src/protocol/usage-event.ts';
import { runRecordSchema } from '../src/runs/run-record.ts';
import { selftestSchema } from '../src/runs/selftest/selftest-record.ts';

/** Path under the root → the text it must have. */
export function generateDocs(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/settings.md', settingsPage()],
    ['docs/licence-reasons.md', reasonsPage()],
    ['docs/usage-event.schema.json', jsonSchema(usageEventSchema)],
    ['docs/run.schema.json', jsonSchema(runRecordSchema)],
    ['docs/selftest.schema.json', jsonSchema(selftestSchema)],
    ['docs/openapi.json', `${JSON.stringify(openApi(), null, 2)}\n`],
  ]);
}

/** The generated files under `root` whose text is not what the code says. */
export function staleDocs(root: string): string[] {
  return [...generateDocs()]
    .filter(([path, text]) => textOf(join(root, path)) !== text)
    .map(([path]) => path);
}

function settingsPage(): string {
  const profiles = Object.entries(PROFILE_DEFAULTS).map(([name, { port, logsDir }]) => {
    return `- \`${name}\`: port ${port}, logs in \`${logsDir ?? `$XDG_STATE_HOME/ccp/${name}/logs`}\``;
  });
  return `# Settings

<!-- Made by scripts/generate-docs.ts from src/config/*-declarations.ts: edit those, then "npm run docs". -->

A setting is taken from the first place that sets it: its flag, the environment, \`.env\` in the working
directory, \`~/.config/ccp/settings.env\` (\`$XDG_CONFIG_HOME\` is respected), its default. An empty value
counts as not set. \`ccp doctor\` shows what is in effect and where it came from.

A \`.env\` that merely lies in the working directory sets only what the last column marks with \`.env\`;
everything else in it counts after \`ccp trust .env\`, until the file changes. \`PORT\` is read from the
environment only: in a project's \`.env\` it means the project's own server.

Durations: \`250ms\`, \`30s\`, \`5m\`, \`24h\`, \`7d\`. Sizes: bytes, or with \`kB\`, \`MB\`, \`GB\`, \`KiB\`, \`MiB\`, \`GiB\`.
A value that is not allowed ends the program with exit code 2.

## ccp

${settingsTable({ ...CCP_DECLARATIONS, ...CCP_SECRETS })}

A profile (\`CCP_PROFILE\`) keeps logs and state apart and changes these defaults:

${profiles.join('\n')}

## ccp-uat

${settingsTable({ ...UAT_DECLARATIONS, ...UAT_SECRETS })}
`;
}

function reasonsPage(): string {
  const rows = Object.entries(REASONS).map(([reason, { wrong, remedy }]) => [
    code(reason),
    `${wrong}.`,
    remedy,
  ]);
  return `# Why a licence does not count

<!-- Made by scripts/generate-docs.ts from src/features/license/reasons.ts: edit that, then "npm run docs". -->

The code stands in the start-up line, in \`/readyz\`, in \`ccp_license_info\`, and in what \`ccp license status\` says. What
a licence is and where it may be set: [licences.md](licences.md).

${table(['reason', 'what is wrong', 'what to do'], rows)}
`;
}

function settingsTable(declarations: Declarations): string {
  const rows = Object.values(declarations).map((setting) => [
    setting.env.map(code).join(', '),
    setting.flag === undefined ? '' : code(setting.flag),
    setting.kind.name,
    setting.default === null ? '–' : code(setting.default),
    setting.help,
    setBy(setting),
  ]);
  return table(['variable', 'flag', 'type', 'default', 'meaning', 'trust'], rows);
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heading, heading.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const setBy = ({ trust }: Setting<unknown>): string => (trust === 'cwd' ? '`.env`' : '');

const code = (text: string): string => `\`${text}\``;

function jsonSchema(schema: z.ZodType): string {
  return `${JSON.stringify(z.toJSONSchema(schema, { target: 'draft-2020-12' }), null, 2)}\n`;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function main(root: string, check: boolean): number {
  const stale = staleDocs(root);
  if (check) {
    for (const path of stale) process.stdout.write(`${path} is stale: run "npm run docs"\n`);
    return stale.length === 0 ? 0 : 1;
  }
  for (const [path, text] of generateDocs()) writeFileSync(join(root, path), text);
  process.stdout.write(`${stale.length === 0 ? 'nothing to do' : `wrote ${stale.join(', ')}`}\n`);
  return 0;
}

if (import.meta.main) {
  const root = resolve(fileURLToPath(new URL('..', import.meta.url)));
  process.exitCode = main(root, process.argv.includes('--check'));
}
