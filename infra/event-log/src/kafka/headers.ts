/** Kafka's headers as text; of a repeated one the first counts. */
import type { IHeaders } from 'kafkajs';

export const toHeaders = (headers: IHeaders = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[name, first.toString()]];
    }),
  );
