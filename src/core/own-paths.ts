/** Which paths are ours to answer: those of our endpoints, and whatever else stands at or beneath their roots. */
import type { Endpoint } from './types.ts';

export interface OwnPaths {
  /**
   * Whether a path is answered here, be it with an error. What is mistyped beneath a root of ours must not carry the
   * client's credentials to an upstream, which would answer for us.
   */
  owns(path: string): boolean;
  /** What answers; HEAD is answered by what answers GET (RFC 9110, 9.3.2). */
  find(method: string, path: string): Endpoint | undefined;
  /** The methods that a path is answered for; none where there is no endpoint at it. */
  methodsOf(path: string): readonly string[];
  /** What there is at and beneath the root of a path, as `GET /v1/usage`. */
  beneathRootOf(path: string): readonly string[];
}

/** The paths of these endpoints, of which no two have the same method and path. */
export function createOwnPaths(endpoints: readonly Endpoint[]): OwnPaths {
  const byName = new Map(endpoints.map((endpoint) => [nameOf(endpoint), endpoint]));
  const roots = new Set(endpoints.map(({ path }) => rootOf(path)));
  return {
    owns: (path) => roots.has(rootOf(path)),
    find: (method, path) => byName.get(nameOf({ method: method === 'HEAD' ? 'GET' : method, path })),
    methodsOf: (path) =>
      endpoints
        .filter((one) => one.path === path)
        .flatMap(({ method }) => (method === 'GET' ? [method, 'HEAD'] : [method])),
    beneathRootOf: (path) => endpoints.filter((one) => rootOf(one.path) === rootOf(path)).map(nameOf),
  };
}

const nameOf = ({ method, path }: { readonly method: string; readonly path: string }): string =>
  `${method} ${path}`;

/** `/v1/usage` of `/v1/usage/samples`, `/metrics` of itself: upstreams have things of their own in `/v1`. */
const rootOf = (path: string): string => /^\/(?:v1\/)?[^/]*/.exec(path)?.[0] ?? path;
