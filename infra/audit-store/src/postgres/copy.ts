/** `COPY … FROM STDIN (FORMAT binary)`: many rows in one message, without a parameter for each value. */
import pg from 'pg';

export type CopyKind = 'int2' | 'int4' | 'int8' | 'text' | 'bytea';
export type CopyValue = number | string | Uint8Array | null;

/** The signature, no flags, no extension. */
const opening = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** What stands in the place of a count of fields behind the last row. */
const ended = -1;
const two32 = 2 ** 32;

/** Writes rows in the binary format; a row's values are in the order of `kinds`. */
export const copyData = (kinds: readonly CopyKind[], rows: Iterable<readonly CopyValue[]>): Buffer => {
  let buffer = Buffer.allocUnsafe(64 * 1_024);
  let end = opening.copy(buffer);
  const room = (bytes: number): void => {
    if (end + bytes <= buffer.byteLength) return;
    const wider = Buffer.allocUnsafe(Math.max(buffer.byteLength * 2, end + bytes));
    buffer.copy(wider, 0, 0, end);
    buffer = wider;
  };
  const field = (kind: CopyKind, value: CopyValue): void => {
    if (value === null) end = buffer.writeInt32BE(-1, end);
    else if (typeof value === 'string') {
      room(value.length * 3 + 4);
      const bytes = buffer.write(value, end + 4);
      end = buffer.writeInt32BE(bytes, end) + bytes;
    } else if (typeof value !== 'number') {
      room(value.byteLength + 4);
      end = buffer.writeInt32BE(value.byteLength, end);
      buffer.set(value, end);
      end += value.byteLength;
    } else if (kind === 'int8') {
      end = buffer.writeInt32BE(8, end);
      end = buffer.writeInt32BE(Math.floor(value / two32), end);
      end = buffer.writeUInt32BE(value >>> 0, end);
    } else if (kind === 'int4') end = buffer.writeInt32BE(value, buffer.writeInt32BE(4, end));
    else end = buffer.writeInt16BE(value, buffer.writeInt32BE(2, end));
  };
  for (const row of rows) {
    room(2);
    end = buffer.writeInt16BE(kinds.length, end);
    for (const [at, kind] of kinds.entries()) {
      room(12);
      field(kind, row[at] ?? null);
    }
  }
  room(2);
  end = buffer.writeInt16BE(ended, end);
  return buffer.subarray(0, end);
};

/** What of a connection a copy needs; the client's types do not name it. */
type CopyConnection = { readonly sendCopyFromChunk: (chunk: Buffer) => void; readonly endCopyFrom: () => void };

/** `into`: a table with the columns that are copied. Rejects with the server's error. */
export const copyInto = (client: pg.PoolClient, into: string, data: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const query = new pg.Query(`COPY ${into} FROM STDIN (FORMAT binary)`, (error: Error | undefined | null) => {
      if (error) reject(error);
      else resolve();
    });
    const handleCopyInResponse = (connection: CopyConnection): void => {
      connection.sendCopyFromChunk(data);
      connection.endCopyFrom();
    };
    client.query(Object.assign(query, { handleCopyInResponse }));
  });
