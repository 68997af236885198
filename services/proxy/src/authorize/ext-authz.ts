/** Envoy's external authorization over gRPC, on a listener of its own. */
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import {
  type GrpcObject,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceClientConstructor,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Problem } from '@postern/schemas';
import type { AddressReader } from '../gate/address.ts';
import type { Ladder } from '../gate/ladder.ts';
import { type CheckRequest, type CheckResponse, readCheckRequest, toAllowed, toDenied } from './check-request.ts';
import { gatewayHeader, type MayAsk } from './trust.ts';

export type ExtAuthzDeps = {
  readonly ladder: Ladder;
  readonly sourceAddressOf: AddressReader;
  readonly mayAsk: MayAsk;
};
export type ExtAuthzServer = {
  /** The port that was taken. Rejects with `runtime/port-in-use` where the address cannot be had. */
  readonly listen: (address: string) => Promise<number>;
  /** Answers what has been asked, then closes. Never rejects. */
  readonly stop: () => Promise<void>;
};

/** Bodies that Envoy sends along are limited by its `max_request_bytes`; this is our own limit on a whole question, in bytes. */
const questionBytesMax = 2_097_152;
const stopTimeoutMs = 2_000;

/** The generated client's constructor carries the service's definition. */
export const authorizationClient = (): ServiceClientConstructor => {
  const loaded = loadPackageDefinition(loadSync(join(import.meta.dirname, 'ext-authz.proto'), { defaults: false }));
  const found = ['envoy', 'service', 'auth', 'v3', 'Authorization'].reduce<unknown>(
    (at, name) => (at as GrpcObject)[name],
    loaded,
  );
  return found as ServiceClientConstructor;
};

export const extAuthzServer = ({ ladder, sourceAddressOf, mayAsk }: ExtAuthzDeps): ExtAuthzServer => {
  const check = (call: ServerUnaryCall<CheckRequest, CheckResponse>, callback: sendUnaryData<CheckResponse>): void => {
    const peer = peerAddress(call.getPeer());
    const [token] = call.metadata.get(gatewayHeader);
    if (!mayAsk(peer, token === undefined ? undefined : String(token)))
      return void callback({ code: status.PERMISSION_DENIED, details: 'only configured gateways may ask' });
    const request = readCheckRequest(call.request, sourceAddressOf);
    if (request.outcome === 'unclear') {
      const { id, ...refusal } = ladder.refuseUnparsed({ remoteAddress: peer, why: `${request.why}.` });
      return void callback(null, toDenied(refusal, id));
    }
    const over = new EventEmitter();
    const reply = (response: CheckResponse): void => {
      callback(null, response);
      over.emit('close');
    };
    ladder.enter({
      kind: 'asked',
      via: 'ext-authz',
      req: request.head,
      switches: request.switches,
      ...(request.body !== undefined && { body: request.body }),
      over,
      allow: (word) => reply(toAllowed(word)),
      refuse: (refusal, decision) => reply(toDenied(refusal, decision)),
    });
  };
  const server = new Server({ 'grpc.max_receive_message_length': questionBytesMax });
  server.addService(authorizationClient().service, { check });
  return {
    listen: (address) =>
      new Promise((resolve, reject) =>
        server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
          if (error === null) return resolve(port);
          reject(
            new Problem('runtime/port-in-use', {
              detail: `${address} (gateways.extAuthz)`,
              fix: 'Stop the other process, or configure another address.',
              cause: error,
            }),
          );
        }),
      ),
    stop: () =>
      new Promise((resolve) => {
        const late = setTimeout(() => server.forceShutdown(), stopTimeoutMs).unref();
        server.tryShutdown(() => {
          clearTimeout(late);
          resolve();
        });
      }),
  };
};

/** "10.0.0.1:5000", "::1:5000": the port is behind the last colon, and an address with one alone has none. */
const peerAddress = (peer: string): string => peer.slice(0, peer.lastIndexOf(':'));
