/** Loaded before a program (`--import`): one place of the product's source reads otherwise, in this process alone. See mutations.ts. */
import { registerHooks } from 'node:module';
import { mutations } from './mutations.ts';

const mutation = mutations.find(({ name }) => name === process.env['POSTERN_MUTATION']);
if (mutation === undefined) throw new Error('POSTERN_MUTATION names no mutation');

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(mutation.file)) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString();
    if (source.split(mutation.reads).length !== 2)
      throw new Error(`${mutation.file} does not read so once: ${mutation.reads}`);
    return { ...loaded, source: source.replace(mutation.reads, () => mutation.mutated) };
  },
});
