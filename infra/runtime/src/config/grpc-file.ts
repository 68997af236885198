/** The methods of a .proto file's services as endpoints: `POST /package.Service/Method`. Imports are not followed: services stand in the files that are named. */
import { Endpoint, encodeId } from '@postern/schemas';
import protobuf from 'protobufjs';
import type { Described } from './openapi-files.ts';
import { readText } from './parsed-file.ts';
import type { FileMistake } from './yaml-file.ts';

export const readProto = (service: string, file: string): Described => {
  const refused = (line: number, what: string): Described => ({
    endpoints: [],
    mistakes: [{ file, line, what }],
    notes: [],
  });
  const read = readText(file);
  if ('why' in read) return refused(1, read.why);
  let root: protobuf.Root;
  try {
    ({ root } = protobuf.parse(read.text, new protobuf.Root(), { keepCase: true }));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return refused(Number(/\(.*?line (\d+)\)$/.exec(message)?.[1] ?? 1), message.replace(/ \(.*?line \d+\)$/, ''));
  }
  const endpoints: Endpoint[] = [];
  const mistakes: FileMistake[] = [];
  for (const found of servicesIn(root))
    for (const method of found.methodsArray) {
      const name = `${found.fullName.replace(/^\./, '')}/${method.name}`;
      const endpoint = Endpoint.safeParse({
        id: `${service}/${encodeId(name)}`,
        method: 'POST',
        template: `/${name}`,
        access: method.options?.['idempotency_level'] === 'NO_SIDE_EFFECTS' ? 'read' : 'write',
      });
      if (endpoint.success) endpoints.push(endpoint.data);
      else mistakes.push({ file, line: 1, what: `${name}: ${endpoint.error.issues[0]?.message}` });
    }
  return endpoints.length + mistakes.length === 0
    ? refused(1, 'the file declares no method of a service')
    : { endpoints, mistakes, notes: [] };
};

function* servicesIn(namespace: protobuf.NamespaceBase): Generator<protobuf.Service> {
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Service) yield nested;
    else if (nested instanceof protobuf.Namespace) yield* servicesIn(nested);
  }
}
