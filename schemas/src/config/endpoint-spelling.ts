/** Endpoints as people write them: `payroll/query.salary`, where the graph's alphabet has `payroll/query=2Esalary`. */
import { EndpointId, encodeId } from '../ids.ts';

/** The endpoint's id, from either spelling; undefined where the text is neither. */
export const endpointIdOf = (written: string): EndpointId | undefined => {
  const slash = written.indexOf('/');
  if (slash < 0) return undefined;
  const exact = EndpointId.safeParse(written);
  if (exact.success) return exact.data;
  try {
    return EndpointId.safeParse(`${written.slice(0, slash)}/${encodeId(written.slice(slash + 1))}`).data;
  } catch {
    return undefined;
  }
};

/** The content of a roles file with its endpoints in the graph's spelling; what is no endpoint is left for the schema to refuse. */
export const spelledEndpoints = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(spelledEndpoints);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === 'endpoint' && typeof member === 'string' ? (endpointIdOf(member) ?? member) : spelledEndpoints(member),
    ]),
  );
};
