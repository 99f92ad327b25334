import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'suites/**/*.test.ts', 'scripts/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // What a process writes to stderr may come later than what it says over its socket.
    expect: { poll: { timeout: 10_000 } },
    // Two cores: more workers only make the process tests late.
    maxWorkers: 2,
  },
});
