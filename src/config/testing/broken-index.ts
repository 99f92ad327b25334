/** For tests of the commands, which reach the store by way of the configuration alone. */
export { breakIndex } from '../../store/testing/broken-index.ts';
