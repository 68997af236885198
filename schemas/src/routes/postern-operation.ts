/** One operation of Postern's own API; `room` serves it. */
import type { Endpoint } from './endpoint.ts';

export type Room = 'grants' | 'authorizer' | 'audit' | 'console';
export type PosternOperation = {
  readonly room: Room;
  readonly operation: string;
  readonly method: Endpoint['method'];
  readonly template: string;
  readonly access: Endpoint['access'];
  readonly summary: string;
  /** Without a credential: nothing in its answer says anything of anybody. */
  readonly public?: true;
};
