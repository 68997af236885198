/** The schema's files: one, a folder of them, or a list of either, composed into the one text that the engine takes. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ComposedSchema, composeSchema, type SchemaFile } from '@postern/schemas/zed';

export type ReadSchema = ComposedSchema & {
  readonly files: readonly SchemaFile[];
  /** Why files could not be read. */
  readonly unread: readonly { readonly path: string; readonly why: string }[];
};

/** Paths are absolute. A folder gives its `.zed` files and those of the folders in it. */
export const readSchemaFiles = (paths: readonly string[]): ReadSchema => {
  const files = new Map<string, SchemaFile>();
  const unread: { path: string; why: string }[] = [];
  for (const path of paths)
    try {
      for (const file of filesAt(path)) files.set(file, { file, text: readFileSync(file, 'utf8') });
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      unread.push({ path, why: missing ? `${path} does not exist` : (error as Error).message });
    }
  return { ...composeSchema([...files.values()]), files: [...files.values()], unread };
};

const filesAt = (path: string): string[] => {
  if (!statSync(path).isDirectory()) return [path];
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.zed'));
  if (found.length === 0) throw new Error(`${path} holds no .zed file`);
  return found.sort().map((name) => join(path, name));
};
