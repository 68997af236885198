/** What the handling of several entries goes on from: the trace they were all written in, or links to each where they differ. */
import type { Carrier, SpanOptions } from './port.ts';

/** Beyond this a batch is history being read, and nobody follows so many links. */
const linksMax = 32;

export const continuing = (carriers: Iterable<Carrier | undefined>): Pick<SpanOptions, 'parent' | 'links'> => {
  const traces = new Map<string, Carrier>();
  for (const carrier of carriers) {
    const traceparent = carrier?.['traceparent'];
    if (carrier !== undefined && traceparent !== undefined) traces.set(traceparent, carrier);
  }
  const [only] = traces.values();
  if (traces.size === 1 && only !== undefined) return { parent: only };
  return { links: [...traces.values()].slice(0, linksMax) };
};
