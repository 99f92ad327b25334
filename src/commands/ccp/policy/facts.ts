import type { PolicyPack } from '../../../config/policy-files.ts';

/** What a pack says, as JSON shows it. */
export function packFacts({ version, issuedAt, expiresAt, routes, upstreams }: PolicyPack): {
  readonly version: number;
  readonly issued_at: string;
  readonly expires_at: string;
  readonly routes: Readonly<Record<string, string>>;
  readonly upstreams: Readonly<Record<string, string>>;
} {
  return {
    version,
    issued_at: new Date(issuedAt).toISOString(),
    expires_at: new Date(expiresAt).toISOString(),
    routes: Object.fromEntries(routes.map(({ glob, provider }) => [glob, provider])),
    upstreams: Object.fromEntries(upstreams),
  };
}

/** The same for a person, a fact a row. */
export function packRows(pack: PolicyPack): readonly (readonly [string, string])[] {
  const { version, issued_at, expires_at } = packFacts(pack);
  return [
    ['version', String(version)],
    ['issued', issued_at],
    ['expires', expires_at],
    ['routes', pack.routes.map(({ glob, provider }) => `${glob} → ${provider}`).join(', ') || 'none'],
    ['upstreams', [...pack.upstreams].map((pair) => pair.join(' → ')).join(', ') || 'none'],
  ];
}
