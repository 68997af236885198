/** Files and numbers that a person named on the command line. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { CommandFailure } from './failure.ts';

/** The text of a file, "-" for standard input. A file that is not there answers `missing` where that is given; any other failure is a CommandFailure. */
export function readTextFile(file: string): string;
export function readTextFile(file: string, absent: { readonly missing: undefined }): string | undefined;
export function readTextFile(file: string, absent?: { readonly missing: undefined }): string | undefined {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && absent) return absent.missing;
    const why: Record<string, string> = {
      ENOENT: 'it does not exist',
      EACCES: 'this user may not read it',
      EISDIR: 'it is a folder',
    };
    throw new CommandFailure(`${file} cannot be read: ${why[code ?? ''] ?? message}`);
  }
}

export const parseJson = (text: string, file: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandFailure(`${file} holds no JSON: ${(error as Error).message}`);
  }
};

export const wholeNumber =
  (from: number, to: number) =>
  (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= from && number <= to) return number;
    throw new InvalidArgumentError(`Write a whole number from ${from} to ${to}.`);
  };

/** Takes an option that may be repeated. */
export const several = (value: string, before: readonly string[] = []): string[] => [...before, value];
