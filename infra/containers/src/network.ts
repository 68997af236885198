/** One docker network a process: made for the first container that joins, removed behind the last one that leaves. */
import { Network, type StartedNetwork } from 'testcontainers';
import { removedWithProcess } from './left-behind.ts';

let members = 0;
let current: Promise<StartedNetwork> | undefined;
let gone = (): void => {};

const startNetwork = async (): Promise<StartedNetwork> => {
  const network = await new Network().start();
  gone = removedWithProcess(() => network.stop());
  return network;
};

export const joinNetwork = async (): Promise<AsyncDisposable & { readonly network: StartedNetwork }> => {
  members++;
  current ??= startNetwork();
  const network = await current;
  return {
    network,
    [Symbol.asyncDispose]: async () => {
      members--;
      if (members > 0) return;
      current = undefined;
      await network.stop();
      gone();
    },
  };
};
