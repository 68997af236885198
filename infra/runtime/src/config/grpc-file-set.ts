/** A .proto file with all that it imports, each file once, as protoc reads them: by name, in the folders that may hold it. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import protobuf from 'protobufjs';
import { readText } from './parsed-file.ts';
import type { FileMistake } from './yaml-file.ts';

export type ProtoSet = {
  readonly root: protobuf.Root;
  /** The file itself, and what it passes on by `import public`: what they declare is the file's own. */
  readonly own: ReadonlySet<string>;
  readonly mistakes: readonly FileMistake[];
  readonly textOf: (file: string) => string;
};

/** google/protobuf/* and google/api/{annotations,http}.proto: everybody imports them, and few have them. */
const bundled = dirname(createRequire(import.meta.url).resolve('protobufjs/package.json'));

/** `include` are folders in which imports are looked for first; then in the file's own and those above it, up to `top`. */
export const readProtoSet = (file: string, top: string, include: readonly string[]): ProtoSet => {
  const root = new protobuf.Root();
  const own = new Set<string>();
  const texts = new Map<string, string>();
  const mistakes: FileMistake[] = [];
  const folders = [...include, ...upwards(dirname(file), top), bundled];

  const take = (path: string, isOwn: boolean, from: { readonly file: string; readonly line: number }): void => {
    if (isOwn) own.add(path);
    if (texts.has(path)) return;
    const read = readText(path);
    if ('why' in read) return void mistakes.push({ ...from, what: read.why });
    texts.set(path, read.text);
    let parsed: protobuf.IParserResult;
    try {
      Object.assign(protobuf.parse, { filename: path });
      parsed = protobuf.parse(read.text, root, { keepCase: true });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const line = Number(/line (\d+)\)$/.exec(message)?.[1] ?? 1);
      return void mistakes.push({ file: path, line, what: message.replace(/ \([^()]*line \d+\)$/, '') });
    } finally {
      Object.assign(protobuf.parse, { filename: null });
    }
    for (const name of [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])]) {
      const { line, passedOn } = statementOf(read.text, name);
      const found = folders.map((folder) => join(folder, name)).find((each) => existsSync(each));
      if (found !== undefined) take(found, isOwn && passedOn, { file: path, line });
      else if (protobuf.common.get(name) !== null && protobuf.common.get(name) !== undefined)
        root.addJSON(protobuf.common.get(name)?.nested ?? {});
      else
        mistakes.push({
          file: path,
          line,
          what: `the import "${name}" is found nowhere`,
          fix: 'write grpc: { files: …, include: [the folder in which it lies] }',
        });
    }
  };
  take(file, true, { file, line: 1 });
  return { root, own, mistakes, textOf: (path) => texts.get(path) ?? '' };
};

const upwards = (folder: string, top: string): string[] => {
  const inside = !relative(top, folder).startsWith('..');
  return folder === top || !inside || dirname(folder) === folder
    ? [folder]
    : [folder, ...upwards(dirname(folder), top)];
};

/** Where the import stands, and whether it is a public one. */
const statementOf = (text: string, name: string): { readonly line: number; readonly passedOn: boolean } => {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => /^\s*import\b/.test(line) && /["']([^"']*)["']/.exec(line)?.[1] === name);
  return { line: Math.max(at, 0) + 1, passedOn: /^\s*import\s+public\b/.test(lines[at] ?? '') };
};
