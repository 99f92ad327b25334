/** Folders that a person named: made by the one function that comes back from any place. */
export { barredFolder, makeFolder, SHARED } from '../../platform/files.ts';
