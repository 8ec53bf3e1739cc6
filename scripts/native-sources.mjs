// Prints the files of the named sections of native/sources.txt, one a line (binding.gyp asks).
import { readFileSync } from 'node:fs';

const wanted = process.argv.slice(2);
let section = '';
for (const line of readFileSync(new URL('../native/sources.txt', import.meta.url), 'utf8').split(/\r?\n/)) {
  const heading = /^\[(.+)\]$/.exec(line);
  if (heading) section = heading[1];
  else if (line && !line.startsWith('#') && wanted.includes(section)) console.log(line);
}
