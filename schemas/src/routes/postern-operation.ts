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
  /** No grant is asked for: its answer says nothing of anybody, or of the caller alone, whom the room then wants to know. */
  readonly public?: true;
};

export const operation = (
  room: Room,
  access: Endpoint['access'],
  method: Endpoint['method'],
  template: string,
  name: string,
  summary: string,
): PosternOperation => ({ room, access, method, template, operation: name, summary });
