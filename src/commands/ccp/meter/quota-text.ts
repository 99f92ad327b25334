/** How full quotas are, a line each, and what a person must know to read it, as text for a screen. */
import type { QuotaAnswer, QuotasAnswer } from '../../../config/usage-answers.ts';
import { plain, type Screen } from '../../shared/host.ts';
import { fitted, hanging, longest } from '../../shared/table.ts';
import { earlierText } from './earlier-quotas.ts';
import { bar, clockTime, paintQuota, percent, span, windowName } from './figures.ts';

/** How full each quota is: a line a quota, with both windows; in front what the figures alone would not say. */
export function quotaLines(screen: Screen, state: QuotasAnswer): string {
  const { quotas } = state;
  if (quotas.length === 0) {
    const none = 'No quotas are set: traffic is metered, and never held back.';
    return `${hanging(screen, '', '  ', none)}${earlierLine(screen, state)}${warningLines(screen, state)}`;
  }
  const names = quotas.map(({ model, lane }) => plain(`${model} (${lane})`));
  const standings = quotas.map((quota) => standing(quota, state.mode));
  const windows = quotas.map((quota) => [nameOf(quota.rolling), nameOf(quota.weekly)].join(''));
  const rest = longest(standings) + longest(windows) + REST_OF_LINE;
  const columns = Math.min(screen.width, MOST_COLUMNS);
  // Where one line has no room for all of it, the bars get a line of their own.
  const isNarrow = columns - rest < LEAST_NAME;
  const room = Math.max(LEAST_NAME, columns - (isNarrow ? longest(standings) + 2 : rest));
  const width = Math.min(room, longest(names));
  const lines = quotas.map((quota, index) => {
    const bars = [quota.rolling, quota.weekly].map((one) => windowText(one, screen, quota)).join('  ');
    const text = standings[index] ?? '';
    const stands = quota.idle === null ? paintQuota(screen, quota, text) : screen.paint('yellow', text);
    const name = fitted(names[index] ?? '', width);
    return (isNarrow ? `${name}  ${stands}\n  ${bars}` : `${name}  ${bars}  ${stands}`).trimEnd();
  });
  return caveats(screen, state) + lines.map((line) => `${line}\n`).join('') + liftLine(screen, state);
}

/** What lets traffic through again before there is room; nothing where none is turned away. */
export function liftLine(screen: Screen, { mode, file, quotas }: QuotasAnswer): string {
  if (mode !== 'block' || !quotas.some(({ block, idle }) => block && idle === null)) return '';
  const how =
    file === null
      ? 'send a file with a higher cap, "ccp quotas reload FILE"'
      : `raise the cap in ${plain(file)}, or "ccp quotas reload FILE"`;
  return hanging(screen, '', '  ', `To lift a block: ${how} (docs/quotas.md).`);
}

/** What a person must know to read the figures. */
export function caveats(screen: Screen, state: QuotasAnswer): string {
  const { mode } = state;
  const does = `Mode ${plain(mode)}: ${WHAT_MODES_DO.get(mode) ?? 'unknown to this ccp'}.`;
  return (
    hanging(screen, '', '  ', does) +
    rebuildLine(screen, state) +
    earlierLine(screen, state) +
    warningLines(screen, state)
  );
}

/** What the windows lack, and why that may last. */
function rebuildLine(
  screen: Screen,
  { rebuilding, rebuild_trouble: trouble }: Pick<QuotasAnswer, 'rebuilding' | 'rebuild_trouble'>,
): string {
  if (!rebuilding) return '';
  if (trouble === null) {
    return hanging(screen, '', '  ', 'The windows are still being rebuilt: more was used than is shown.');
  }
  const text = `Quotas count only what this run of ccp has seen, as its store cannot be read: ${plain(trouble)}`;
  return screen.paint('red', hanging(screen, '', '  ', text));
}

/** That the quotas are not those of their file, a line; nothing where they are. */
export function earlierLine(screen: Screen, state: QuotasAnswer): string {
  const earlier = earlierText(state);
  return earlier === null ? '' : screen.paint('red', hanging(screen, '', '  ', `Attention: ${earlier}.`));
}

/** What is doubtful about quotas. */
export const warningLines = (screen: Screen, { warnings }: Pick<QuotasAnswer, 'warnings'>): string =>
  warnings.map((one) => screen.paint('yellow', hanging(screen, '', '  ', `warning: ${plain(one)}`))).join('');

const WHAT_MODES_DO: ReadonlyMap<string, string> = new Map([
  ['off', 'quotas only count, nothing is held back'],
  ['block', 'a full quota sends requests to the next lane, else answers 429'],
  ['hybrid', "a full quota holds nothing back, only the upstream's limit does"],
]);

/** Where no person looks, a screen has no end. */
const MOST_COLUMNS = 120;
/** Two bars with their per cents, and what parts them. */
const REST_OF_LINE = 38;
const LEAST_NAME = 8;

const nameOf = ({ span_seconds }: QuotaAnswer['rolling']): string => windowName(span_seconds).padStart(3);

/** `5h ███████░░░  70%`; as wide without a cap. */
function windowText(window: QuotaAnswer['rolling'], screen: Screen, quota: QuotaAnswer): string {
  const { pct } = window;
  const name = nameOf(window);
  if (pct === null) return `${name} ${'no cap'.padEnd(15)}`;
  const painted = paintQuota(
    screen,
    { warn: pct >= quota.warn_pct, block: pct >= quota.block_pct },
    bar(pct),
  );
  return `${name} ${painted}${(pct >= 999.5 ? '>999%' : percent(pct)).padStart(5)}`;
}

/** What never fills is not well. */
export const IDLE_TEXTS: Readonly<Record<NonNullable<QuotaAnswer['idle']>, string>> = {
  no_lane: 'counts nothing: no such lane',
  no_route: 'counts nothing: no route',
  no_match: 'has counted nothing',
};

function standing({ idle, warn, block, eta_seconds, cooldown_until }: QuotaAnswer, mode: string): string {
  if (idle !== null) return IDLE_TEXTS[idle];
  if (cooldown_until !== null) return `cooling until ${clockTime(cooldown_until)}`;
  const eta = eta_seconds === null ? '' : span(eta_seconds);
  // Where nothing is held back more comes, and nobody waits for room.
  if (block) return eta === '' || mode !== 'block' ? 'full' : `full, room in ${eta}`;
  const word = warn ? 'warn' : 'ok';
  return eta === '' ? word : `${word}, full in ${eta}`;
}
