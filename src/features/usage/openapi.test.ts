import { expect, it } from 'vitest';
import { z } from 'zod';
import { openApi } from './openapi.ts';

const parameter = z.object({ name: z.string(), in: z.literal('query'), required: z.boolean() });
const operation = z.object({
  operationId: z.string(),
  parameters: z.array(parameter).optional(),
  responses: z.record(
    z.string(),
    z.object({
      description: z.string(),
      content: z.record(z.string(), z.object({ schema: z.looseObject({}) })),
    }),
  ),
  security: z.array(z.object({ controlToken: z.array(z.string()) })).optional(),
});
const document = z.object({
  openapi: z.literal('3.1.0'),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
  paths: z.record(z.string(), z.partialRecord(z.enum(['get', 'post']), operation)),
});
const { components, paths } = document.parse(openApi());

it('says each form once, and refers to nothing that is not there', () => {
  const text = JSON.stringify(openApi());
  const refs = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref);
  const named = Object.keys(components.schemas).map((name) => `#/components/schemas/${name}`);
  expect(new Set(refs)).toEqual(new Set(named));
  expect(text).not.toMatch(/"\$(?:id|schema|defs)"/);
  expect(text.match(/"cache_write_1h"/g)?.length).toBeLessThan(5);
});

it('names the arguments of each, and which of them must be there', () => {
  const named = paths['/v1/usage/rollups']?.get?.parameters?.map(({ name, required }) => [name, required]);
  expect(named).toEqual([
    ['granularity', true],
    ['model', false],
    ['lane', false],
    ['since', false],
    ['until', false],
  ]);
});

it('says which of them need the control token, and what each may refuse', () => {
  for (const methods of Object.values(paths)) {
    const ofEach = { 200: 0, 403: 0, 500: 0 };
    expect(Object.keys(methods.get?.responses ?? ofEach)).toEqual(
      expect.arrayContaining(Object.keys(ofEach)),
    );
    expect(methods.get?.security).toBeUndefined();
    if (methods.post !== undefined) {
      expect(methods.post.security).toEqual([{ controlToken: [] }]);
      expect(Object.keys(methods.post.responses)).toEqual(
        expect.arrayContaining(['200', '401', '403', '408', '413', '500']),
      );
    }
  }
});
