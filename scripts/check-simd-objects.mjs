// Checks the objects of a build (Linux; needs nm): node scripts/check-simd-objects.mjs FOLDER
// An inline function of a shared header, compiled in a file with AVX-512, may be the copy that the linker keeps for everybody: the
// addon would then crash on older processors, far from any kernel.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const objects = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /simd_(avx2|avx512)\b.*\.o$/.test(name),
);
let shared = 0;
for (const object of objects) {
  const symbols = execFileSync('nm', ['--demangle', '--defined-only', join(folder, object)], { encoding: 'utf8' });
  for (const line of symbols.split('\n')) {
    if (!/^[0-9a-f]* ?[WVu] /.test(line) || /simd_avx(2|512)::/.test(line)) continue;
    console.error(`${object}: ${line}`);
    shared++;
  }
}
console.log(`${objects.length} objects compiled for AVX2 or AVX-512, ${shared} shared functions in them`);
process.exit(shared === 0 ? 0 : 1);
