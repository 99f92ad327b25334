import { type CcpFlags, type LoadedCcp, loadCcpSettings } from '../../config/ccp-settings.ts';
import { featuresOf, judgeLicense } from '../../config/open-license.ts';
import { openRouting } from '../../config/open-routing.ts';
import { type Host, printWarnings } from '../shared/host.ts';

/** Loads the settings for a command and shows what is odd about them. Throws `CONFIG`. */
export function load({ env, cwd, home, ...screens }: Host, flags: CcpFlags = {}): LoadedCcp {
  const loaded = loadCcpSettings({ flags, env, cwd, home });
  printWarnings({ env, cwd, home, ...screens }, 'ccp', loaded.warnings);
  return loaded;
}

/** Routing for a command that only looks: as the proxy would route now. Throws `CONFIG`. */
export function openRoutingNow(
  loaded: LoadedCcp,
  log: Parameters<typeof openRouting>[1],
): ReturnType<typeof openRouting> {
  const licensed = featuresOf(judgeLicense(loaded, Date.now()));
  return openRouting(loaded, log, () => licensed);
}

/** A log for what a command opens: warnings and errors are shown, the rest is the service's business. */
export function commandLog(host: Host): {
  info(): void;
  warn(text: string): void;
  error(text: string): void;
} {
  const show = (text: string): void => printWarnings(host, 'ccp', [text]);
  return { info: () => {}, warn: show, error: show };
}
