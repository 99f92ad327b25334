import { expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import { needsCommands } from './sabotage.ts';

it('runs commands where a check that must notice needs them, where one places a licence, and for whatever drives', () => {
  const [plain, noticed] = [{ caughtBy: ['LOG-01', 'LICENSE-02'] }, { caughtBy: ['LOG-01', 'LOG-02'] }];
  expect(needsCommands(plain, {}, CHECKS)).toBe(false);
  expect(needsCommands(noticed, {}, CHECKS)).toBe(true);
  expect(needsCommands({ caughtBy: [], blinds: ['LANES-01'] }, {}, CHECKS)).toBe(true);
  const stage = { name: 'trial', license: 'trial' } as const;
  expect(needsCommands(plain, { stages: [stage] }, CHECKS)).toBe(false);
  expect(needsCommands(plain, { stages: [{ ...stage, by: 'command' }] }, CHECKS)).toBe(true);
  const driver = { kind: 'soak', rounds: 1, roundMs: 1, width: 1 } as const;
  expect(needsCommands(plain, { driver }, CHECKS)).toBe(true);
});
