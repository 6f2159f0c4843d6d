// Loaded into a measured process with `node --import`: leaves its peak of resident memory, in KiB, where it is told to.
import { writeFileSync } from 'node:fs';

const place = process.env['TIEUP_BENCH_PEAK'];
if (place !== undefined) {
  process.on('exit', () => writeFileSync(place, String(process.resourceUsage().maxRSS)));
}
