/** One docker network a process: made for the first container that joins, removed behind the last one that leaves. */
import { Network, type StartedNetwork } from 'testcontainers';

let members = 0;
let current: Promise<StartedNetwork> | undefined;

export const joinNetwork = async (): Promise<AsyncDisposable & { readonly network: StartedNetwork }> => {
  members++;
  current ??= new Network().start();
  const network = await current;
  return {
    network,
    [Symbol.asyncDispose]: async () => {
      members--;
      if (members > 0) return;
      current = undefined;
      await network.stop();
    },
  };
};
