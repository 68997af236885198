/** What every started container can do: answer at a fixed host port, be frozen, killed and started again, and go away. */
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import { removedWithProcess } from './left-behind.ts';
import { joinNetwork } from './network.ts';

export type StartedContainer = AsyncDisposable & {
  /** Freezes every process inside: connections stay open and nothing answers, like a network that swallows packets. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** Ends the processes (SIGKILL after `graceSeconds`, 10 where none is given; 0 kills at once); its files stay. */
  stop(graceSeconds?: number): Promise<void>;
  /** Starts it again at the same port; resolves when it answers. */
  start(): Promise<void>;
  /** Whatever it has printed. */
  logs(): Promise<string>;
  /** Runs a command inside to its end; resolves with what it prints. Rejects with that where it fails. */
  run(command: readonly string[]): Promise<string>;
};

export type ContainerSpec = {
  readonly image: string;
  /** The name other containers reach it by. */
  readonly alias: string;
  readonly port: number;
  /** Says the first words of the protocol; the container is up once it gets the right answer. */
  readonly probe: Probe;
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  /** Run in the image before the long-lived command, each to its end. */
  readonly before?: readonly (readonly string[])[];
  /** Copied in before it starts; one that the host does not have is left out. */
  readonly folders?: readonly { readonly source: string; readonly target: string }[];
  readonly startTimeoutMs?: number;
};

export type Probe = { readonly say: Uint8Array; readonly understands: (answer: Uint8Array) => boolean };

export type Address = { readonly host: string; readonly port: number };

const attemptsMax = 3;

/**
 * Starts a container whose configuration may depend on its address: a broker has to advertise the port it is reached by, so
 * the host port is chosen first. Another process may take it in between: then it is tried again with another one.
 */
export const startContainer = async (
  specAt: (address: Address) => ContainerSpec,
): Promise<StartedContainer & { readonly address: Address }> => {
  for (let attempt = 1; ; attempt++) {
    const address = { host: await hostAddress(), port: await freePort() };
    try {
      return { ...(await startAt(address, specAt(address))), address };
    } catch (error) {
      if (attempt === attemptsMax || !/port is already allocated|address already in use/i.test(String(error)))
        throw error;
    }
  }
};

const startAt = async (address: Address, spec: ContainerSpec): Promise<StartedContainer> => {
  await using stack = new AsyncDisposableStack();
  const network = stack.use(await joinNetwork());
  const container = () =>
    new GenericContainer(spec.image).withNetwork(network.network).withEnvironment({ ...spec.environment });
  for (const command of spec.before ?? [])
    await using(
      await container()
        .withCommand([...command])
        .withWaitStrategy(Wait.forOneShotStartup())
        .start(),
    );
  const prepared = container()
    .withNetworkAliases(spec.alias)
    .withExposedPorts({ container: spec.port, host: address.port })
    .withCopyDirectoriesToContainer((spec.folders ?? []).filter(({ source }) => existsSync(source)))
    // Any first line will do: what counts is the protocol's own answer, below.
    .withWaitStrategy(Wait.forLogMessage(/./));
  const started = stack.use(
    await (spec.command === undefined ? prepared : prepared.withCommand([...spec.command])).start(),
  );
  const { container: engine } = await getContainerRuntimeClient();
  const handle = engine.getById(started.getId());
  stack.defer(removedWithProcess(() => handle.remove({ force: true, v: true })));
  const logs = async () => String(await handle.logs({ stdout: true, stderr: true }));
  const answers = () => untilAnswered(address, spec, logs);
  await answers();
  const owned = stack.move();
  return {
    pause: async () => void (await handle.pause()),
    unpause: async () => void (await handle.unpause()),
    stop: async (graceSeconds = 10) => void (await handle.stop({ t: graceSeconds })),
    start: async () => {
      await handle.start();
      await answers();
    },
    logs,
    run: async (command) => {
      const { output, exitCode } = await started.exec([...command]);
      if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}: ${output}`);
      return output;
    },
    [Symbol.asyncDispose]: async () => {
      // A frozen or ended container cannot be stopped again; both are fine here.
      await handle.unpause().catch(() => {});
      await owned.disposeAsync();
    },
  };
};

const using = async (disposable: AsyncDisposable): Promise<void> => disposable[Symbol.asyncDispose]();

const untilAnswered = async (address: Address, spec: ContainerSpec, logs: () => Promise<string>): Promise<void> => {
  const signal = AbortSignal.timeout(spec.startTimeoutMs ?? 90_000);
  while (!(await answered(address, spec.probe))) {
    if (signal.aborted)
      throw new Error(`${spec.image} did not answer at port ${address.port} in time; it says:\n${await logs()}`);
    await sleep(100);
  }
};

const answered = (address: Address, probe: Probe): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(address);
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    // Docker's own proxy accepts connections before anything listens behind it: only an answer proves something.
    socket.setTimeout(2_000, () => end(false));
    socket.on('connect', () => socket.write(probe.say));
    socket.on('data', (answer) => end(probe.understands(answer)));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
  });

const hostAddress = async (): Promise<string> => {
  const { host } = (await getContainerRuntimeClient()).info.containerRuntime;
  // Published ports are not always bound to ::1, which some resolvers give first for this name.
  return host === 'localhost' ? '127.0.0.1' : host;
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
