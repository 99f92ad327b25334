import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readStoredRun } from '../../stored/stored-run.ts';
import { BEGIN, storeGreenRun, temporaryFolder } from '../../testing/stored-green-run.ts';
import { courseSection } from './course.ts';

it('tells what happened, and not each time that the machine was late', async () => {
  await using parent = await temporaryFolder();
  const { folder } = await storeGreenRun(parent.path);
  const events = path.join(folder.path, 'events.jsonl');
  const [first = '', ...rest] = (await readFile(events, 'utf8')).trimEnd().split('\n');
  const told = [
    ...Array.from({ length: 200 }, (_, at) => ({ type: 'machine_late', at: BEGIN + at, ms: 50 })),
    { type: 'round_closed', at: BEGIN + 300, round: 1, underWay: [], diedAt: null },
    { type: 'stage_started', at: BEGIN + 400, name: 'second' },
  ].map((event) => JSON.stringify(event));
  await writeFile(events, `${[first, ...told, ...rest].join('\n')}\n`);
  const text = String(courseSection(await readStoredRun(folder.path)));
  expect(text).toContain('stage started, name second');
  expect(text).not.toContain('machine late');
  expect(text).not.toContain('round closed');
  expect(text).not.toContain('more, in <code>events.jsonl</code>');
});
