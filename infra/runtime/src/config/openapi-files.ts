/** An OpenAPI description out of one file or many; every mistake with the file and line where it stands. */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Endpoint, endpointsFromOpenApi, type ServiceConfig } from '@postern/schemas';
import { lineFinder, type ParsedFile, readParsed } from './parsed-file.ts';
import type { FileMistake } from './yaml-file.ts';

export type Described = {
  readonly endpoints: readonly Endpoint[];
  readonly mistakes: readonly FileMistake[];
  readonly notes: readonly FileMistake[];
};

export const readOpenApi = (service: string, file: string, servers: ServiceConfig['servers']): Described => {
  const opened = new Map<string, ParsedFile>();
  /** `file` is told as it was written; the others by their path. */
  const entry = pathToFileURL(file).href;
  const pathOf = (url: string): string => (url === entry ? file : fileURLToPath(url));
  const open = (url: string): ParsedFile => {
    const known = opened.get(url) ?? readParsed(pathOf(url));
    opened.set(url, known);
    return known;
  };
  const document = open(entry);
  if ('mistakes' in document)
    return { endpoints: [], mistakes: document.mistakes.map((mistake) => ({ file, ...mistake })), notes: [] };
  const { endpoints, problems } = endpointsFromOpenApi(service, document.value, {
    file: entry,
    servers,
    open: (url) => {
      const read = open(url);
      if ('value' in read) return read;
      const [first] = read.mistakes;
      return { why: `${first?.what ?? 'it cannot be read'} (line ${first?.line ?? 1})` };
    },
  });
  const finders = new Map<string, (pointer: string) => number>();
  const lineOf = (url: string, pointer: string): number => {
    const read = open(url);
    if ('mistakes' in read) return 1;
    const find = finders.get(url) ?? lineFinder(read.text);
    finders.set(url, find);
    return find(pointer);
  };
  const told = (level: string): FileMistake[] =>
    problems
      .filter((problem) => problem.level === level)
      .map((problem) => ({
        file: pathOf(problem.file),
        line: lineOf(problem.file, problem.pointer),
        what: `${problem.pointer || '/'} ${problem.what}`,
      }));
  return { endpoints, mistakes: told('error'), notes: told('note') };
};
