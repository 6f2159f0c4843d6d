/** The file that makes a folder a site; apart from its schemas, which take longer to load than some commands to run. */

export const CONFIG_FILE = 'tieup.yaml';
/** Bytes. */
export const MAX_CONFIG = 1024 * 1024;
