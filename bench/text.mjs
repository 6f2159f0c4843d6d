// Numbers and tables as they stand in RESULTS.md.

/** @param {number} milliseconds */
export function time(milliseconds) {
  return milliseconds < 2000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/**
 * @param {number} value
 * @param {number} floor
 */
export function ratio(value, floor) {
  return `${(value / floor).toFixed(2)} ×`;
}

/** @param {number} mebibytes */
export function memory(mebibytes) {
  return `${Math.round(mebibytes)} MiB`;
}

/** @param {number} value */
export function count(value) {
  return value.toLocaleString('en');
}

/**
 * A Markdown table.
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
export function table(head, rows) {
  const cells = [head, head.map((_, column) => (column === 0 ? '---' : '---:')), ...rows];
  return cells.map((row) => `| ${row.join(' | ')} |`).join('\n');
}
