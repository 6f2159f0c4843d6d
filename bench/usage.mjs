// Loaded into a measured process with `node --import`: leaves what it has used where it is told to, as JSON: CPU time of all its
// threads in microseconds, its peak of resident memory in KiB.
import { writeFileSync } from 'node:fs';

const place = process.env['TIEUP_BENCH_USAGE'];
if (place !== undefined) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    writeFileSync(place, JSON.stringify({ cpu: userCPUTime + systemCPUTime, peak: maxRSS }));
  });
}
