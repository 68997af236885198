/** One world for all tests of a file: started before the first, gone behind the last, whatever became of them. */
import { after, before } from 'node:test';
import type { World } from '../world/world.ts';

export const staged = <Staged extends World>(start: () => Promise<Staged>): (() => Staged) => {
  let world: Staged | undefined;
  before(async () => {
    world = await start();
  });
  after(async () => world?.[Symbol.asyncDispose]());
  return () => {
    if (world === undefined) throw new Error('the world has not been started');
    return world;
  };
};
