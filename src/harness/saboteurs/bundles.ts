/** What can go wrong once a run is stored: something gets into its folder that no reviewer may be handed. */
import type { Fault, Saboteur } from '../types/saboteur.ts';
import type { Canaries } from '../types/world.ts';

const stored = (place: string, text: (canaries: Canaries) => string): Fault => ({
  layer: 'stored',
  place,
  text,
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** In the middle, and with an indent, as a pretty printer breaks a line. */
const broken = (text: string): string => `${text.slice(0, 20)}\n    ${text.slice(20)}`;

export const BUNDLE_SABOTEURS: readonly Saboteur[] = [
  {
    name: 'secret-in-bundle',
    breaks: 'the log of a run that is packed for a reviewer holds the Z.AI key',
    faults: [stored('proxy.log', ({ zaiKey }) => `key=${zaiKey}\n`)],
    caughtBy: ['BUNDLE-01'],
  },
  {
    name: 'secret-hidden-in-bundle',
    breaks: 'a summary that is packed for a reviewer holds the licence seed, in base64 and over two lines',
    faults: [stored('METRICS.json', ({ licenseSeed }) => `${broken(base64(licenseSeed))}\n`)],
    caughtBy: ['BUNDLE-01'],
  },
];
