// node componentize.mjs SOURCE OUT [FEATURE...]: makes a component of a source
// file, without the features of the engine that are named.

import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const [source, out, ...disableFeatures] = process.argv.slice(2);
const { component } = await componentize({
  sourcePath: source,
  witPath: process.env.WIT,
  worldName: 'proxy',
  disableFeatures,
});
await writeFile(out, component);
