/** What `ccp doctor` looks at: one question a function, each giving its findings. */
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { type LoadedCcp, loadCcpSettings } from '../../config/ccp-settings.ts';
import { barredFolder } from '../shared/folders.ts';
import type { Host } from '../shared/host.ts';
import { checkPrices, checkQuotas, checkStore } from './diagnose-meter.ts';
import { checkProxy } from './diagnose-proxy.ts';
import { checkLicense, checkPolicy, checkRouting } from './diagnose-routing.ts';
import { type FileRow, fileRows, type SettingRow, settingRows } from './diagnose-settings.ts';
import { attempt, type Finding } from './finding.ts';

export interface Diagnosis {
  readonly node: string;
  /** Empty where the settings can't be loaded; then a finding says why. */
  readonly settings: readonly SettingRow[];
  readonly files: readonly FileRow[];
  readonly findings: readonly Finding[];
}

/** Looks at everything; what goes wrong while looking is a finding, too. */
export async function diagnose({ env, cwd, home }: Host): Promise<Diagnosis> {
  const node = process.versions.node;
  const runtime: Finding = { level: 'ok', what: `Node ${node}` };
  const loaded = await attempt(() => loadCcpSettings({ env, cwd, home }));
  if (!loaded.ok) return { node, settings: [], files: [], findings: [runtime, loaded.finding] };
  const warnings = loaded.value.warnings.map((what): Finding => ({ level: 'note', what }));
  const store = await checkStore(loaded.value);
  const findings = [
    runtime,
    ...warnings,
    ...(await checkPermission(loaded.value.paths.settingsFile)),
    ...(await checkPermission(loaded.value.paths.licensePack)),
    ...(await checkUpstreamCa(loaded.value)),
    checkLogs(loaded.value),
    store,
    ...checkLicense(loaded.value),
    ...(await checkRouting(loaded.value)),
    ...(await checkQuotas(loaded.value)),
    ...(await checkPrices(loaded.value)),
    ...(await checkPolicy(loaded.value)),
    ...(await checkProxy(loaded.value, store)),
  ];
  const files = await fileRows(loaded.value, findings);
  return { node, settings: settingRows(loaded.value), files, findings };
}

/** A file that may hold keys or a licence is for its owner's eyes. */
async function checkPermission(path: string): Promise<Finding[]> {
  const looked = await attempt(() => statSync(path, { throwIfNoEntry: false }));
  if (!looked.ok) return [looked.finding];
  if (looked.value === undefined || (looked.value.mode & 0o077) === 0) return [];
  return [{ level: 'problem', what: `${path} can be read by others`, remedy: `chmod 600 ${path}` }];
}

async function checkUpstreamCa({ settings: { upstreamCa } }: LoadedCcp): Promise<Finding[]> {
  if (upstreamCa === null) return [];
  const read = await attempt(() => new X509Certificate(readFileSync(upstreamCa)));
  if (!read.ok) {
    return [{ level: 'problem', what: `CCP_UPSTREAM_CA: ${read.finding.what}`, remedy: 'Name a PEM file.' }];
  }
  const { validToDate, subject } = read.value;
  if (validToDate.getTime() > Date.now()) return [];
  return [{ level: 'problem', what: `CCP_UPSTREAM_CA: ${subject} expired on ${validToDate.toISOString()}` }];
}

function checkLogs({ settings: { logsDir } }: LoadedCcp): Finding {
  const barred = barredFolder(logsDir);
  if (barred === null) return { level: 'ok', what: `logs go to ${logsDir}` };
  return {
    level: 'problem',
    what: `${barred} is no folder that can be written to`,
    remedy: 'Set CCP_LOGS_DIR to another folder.',
  };
}
