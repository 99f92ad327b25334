import { describe, expect, it } from 'vitest';
import { createCanaries } from './canaries.ts';

const values = (seed: string) =>
  createCanaries(seed)
    .all()
    .map(({ value }) => value);

describe('the canaries of a run', () => {
  it('are the same for the same seed, and all different otherwise', () => {
    expect(values('x')).toEqual(values('x'));
    expect(new Set([...values('x'), ...values('y')]).size).toBe(values('x').length * 2);
  });

  it('have the shape of the real thing', () => {
    const canaries = createCanaries('shape');
    expect(canaries.anthropicKey).toMatch(/^sk-ant-api03-[\w-]{93}AA$/);
    expect(canaries.anthropicOauth).toMatch(/^sk-ant-oat01-[\w-]{93}AA$/);
    expect(canaries.zaiKey).toMatch(/^[0-9a-f]{32}\.[A-Za-z0-9]{16}$/);
  });

  it('give each probe a phrase that is at home on the wire of its lanes only', () => {
    const canaries = createCanaries('seed');
    const phrase = canaries.prompt('one', ['zai']);
    expect(canaries.prompt('one', ['zai'])).toBe(phrase);
    expect(canaries.prompt('two', ['zai'])).not.toBe(phrase);
    expect(canaries.all()).toContainEqual({
      name: 'prompt:one',
      value: phrase,
      allowed: ['wire:client:request', 'wire:zai:request'],
    });
  });

  it('allow a secret of the target itself nowhere', () => {
    const canaries = createCanaries('seed');
    canaries.add('control.token', 'abc');
    expect(canaries.all()).toContainEqual({ name: 'control.token', value: 'abc', allowed: [] });
  });

  it('are the real credentials where those are in use', () => {
    const real = { anthropicKey: 'sk-ant-real', zaiKey: 'real.zai' };
    expect(createCanaries('seed', real)).toMatchObject(real);
  });
});
