import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

it('the file for trying ccp in docs/mocks.md starts both mocks, and says where they are', async () => {
  const doc = await readFile(path.join(ROOT, 'docs/mocks.md'), 'utf8');
  const program = [...doc.matchAll(/```ts\n(import .*?)```/gs)].map(([, text = '']) => text).join('');
  const folder = await mkdtemp(path.join(tmpdir(), 'ccp-uat-test-'));
  const file = path.join(folder, 'try-out.ts');
  await writeFile(file, program.replaceAll("from './", `from '${pathToFileURL(ROOT).href}`));
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'ignore'], env: {} });
  const exited = once(child, 'exit');
  try {
    // Undefined where it ended without a line.
    const { value: line } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
    const urls = [...String(line).matchAll(/(CCP_\w+)=(\S+)/g)].map(([, name, url]) => ({ name, url }));
    expect(urls.map(({ name }) => name)).toEqual(['CCP_ANTHROPIC_BASE_URL', 'CCP_ZAI_BASE_URL']);
    for (const { url } of urls) expect((await fetch(`${url}/v1/models`)).status).toBe(401);
  } finally {
    child.kill();
    await exited;
    await rm(folder, { recursive: true });
  }
});
