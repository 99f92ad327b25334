/** What a round is judged by in which one kind of client sends one kind of request. */
import { FIDELITY } from './gates.ts';

/** Not everything can be seen of plain calls, nor of raw requests what Claude Code says of itself. */
const SEEN_ELSEWHERE: ReadonlySet<string> = new Set(['TOKENS-02', 'HEADER-03', 'STREAM-03']);

export const CLIENT_ROUND: string[] = ['ROUTE-01', ...FIDELITY.filter((id) => !SEEN_ELSEWHERE.has(id))];
