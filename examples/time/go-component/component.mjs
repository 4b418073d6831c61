// node component.mjs CORE WIT WORLD OUT: makes a component of a core module
// that was built for WASI 0.1 and has the functions of a world as well.

import { readFile, writeFile } from 'node:fs/promises';
import { componentEmbed, componentNew, preview1AdapterReactorPath } from '@bytecodealliance/jco';

const [core, wit, world, out] = process.argv.slice(2);
const embedded = await componentEmbed({
  binary: await readFile(core),
  witSource: await readFile(wit, 'utf8'),
  world,
});
const adapter = await readFile(preview1AdapterReactorPath());
await writeFile(out, await componentNew(embedded, [['wasi_snapshot_preview1', adapter]]));
