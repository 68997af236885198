/**
 * The methods of a .proto file's services as endpoints: `POST /package.Service/Method`. Services stand in the files that are named and
 * in what these import publicly; other imports are followed for what the methods take and answer, and open nothing.
 */
import { Endpoint, encodeId } from '@postern/schemas';
import protobuf from 'protobufjs';
import { readProtoSet } from './grpc-file-set.ts';
import type { Described } from './openapi-files.ts';
import type { FileMistake } from './yaml-file.ts';

export type ProtoFolders = {
  /** The folder of the configuration: imports are looked for up to here. */
  readonly top: string;
  readonly include: readonly string[];
  /** Clients of gRPC know no base path, so a service may be mounted at its own name: then its methods lie right below. */
  readonly mount: string;
};

export const readProto = (service: string, file: string, { top, include, mount }: ProtoFolders): Described => {
  const { root, own, mistakes: unread, textOf } = readProtoSet(file, top, include);
  const endpoints: Endpoint[] = [];
  const mistakes: FileMistake[] = [...unread];
  for (const found of servicesIn(root)) {
    const from = found.filename ?? file;
    if (!own.has(from)) continue;
    for (const method of found.methodsArray) {
      const name = `${found.fullName.replace(/^\./, '')}/${method.name}`;
      const at = { file: from, line: lineOfMethod(textOf(from), found.name, method.name) };
      const endpoint = Endpoint.safeParse({
        id: `${service}/${encodeId(name)}`,
        method: 'POST',
        template: mount === `/${name.slice(0, name.indexOf('/'))}` ? `/${method.name}` : `/${name}`,
        access: method.options?.['idempotency_level'] === 'NO_SIDE_EFFECTS' ? 'read' : 'write',
      });
      // Where a file is missing, so are its types: that has been said.
      const stranger = unread.length > 0 ? undefined : unknownType(method);
      if (stranger !== undefined) mistakes.push({ ...at, what: `${name}: no file declares ${stranger}` });
      else if (endpoint.success) endpoints.push(endpoint.data);
      else mistakes.push({ ...at, what: `${name}: ${endpoint.error.issues[0]?.message}` });
    }
  }
  if (endpoints.length + mistakes.length === 0)
    mistakes.push({ file, line: 1, what: 'the file declares no method of a service' });
  return { endpoints, mistakes, notes: [] };
};

const unknownType = (method: protobuf.Method): string | undefined =>
  [method.requestType, method.responseType].find((type) => method.parent?.lookup(type, [protobuf.Type]) == null);

const lineOfMethod = (text: string, service: string, method: string): number => {
  const lines = text.split('\n');
  const begin = Math.max(
    lines.findIndex((line) => new RegExp(`\\bservice\\s+${service}\\b`).test(line)),
    0,
  );
  const at = lines.findIndex((line, index) => index >= begin && new RegExp(`\\brpc\\s+${method}\\b`).test(line));
  return Math.max(at, 0) + 1;
};

function* servicesIn(namespace: protobuf.NamespaceBase): Generator<protobuf.Service> {
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Service) yield nested;
    else if (nested instanceof protobuf.Namespace) yield* servicesIn(nested);
  }
}
