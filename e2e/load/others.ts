/** Other people's gateways as contenders: whichever are on this machine. */
import { foundPeers, type PeerSpiceDb, startPeer, startPeerSpiceDb } from './peers/peers.ts';
import { issuer, type Open, portOf, type Stage } from './stage.ts';

/** Starts those whose name holds `wanted`, and says which there are not. Their SpiceDB is counted with none of them. */
export const openOthers = async (stage: Stage, wanted: string): Promise<Open[]> => {
  const { found, missing } = foundPeers();
  for (const { name, why } of missing) process.stdout.write(`not measured: ${name} (${why})\n`);
  const chosen = found.filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()));
  const open: Open[] = [];
  let spicedb: (PeerSpiceDb & { readonly close: () => Promise<void> }) | undefined;
  for (const { name, does } of chosen)
    try {
      if (does === 'decides') spicedb ??= await startPeerSpiceDb();
      const peer = await startPeer(
        name,
        `http://127.0.0.1:${portOf(stage.upstream)}`,
        { issuer, audience: 'bench', jwksFile: stage.jwksFile, token: stage.token, subject: 'bench' },
        spicedb,
      );
      open.push({ contender: { name, does, url: peer.url, headers: peer.headers, pids: peer.pids }, stop: peer.close });
    } catch (error) {
      process.stdout.write(`not measured: ${name} (${error instanceof Error ? error.message : error})\n`);
    }
  if (spicedb !== undefined) open.push({ contender: undefined, stop: spicedb.close });
  return open;
};
