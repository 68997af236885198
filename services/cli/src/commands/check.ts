/** check: the configuration and everything it names, every mistake at once. */
import { loadConfig, loadModel, mistakeText } from '@postern/runtime';
import type { Command } from 'commander';
import { print, tell } from '../output.ts';

export const checkCommand = (program: Command): void => {
  program
    .command('check')
    .description('config, routes and roles; every error at once, each with file, line and fix')
    .option('--config <file>', 'the configuration', 'postern.yaml')
    .action(({ config: file }: { config: string }) => {
      const loaded = loadConfig(file, process.env);
      const model = loadModel(loaded);
      for (const note of model.notes) tell(`note: ${mistakeText(note)}`);
      const endpoints = model.services.reduce((sum, service) => sum + service.endpoints.length, 0);
      print(
        `${file}: ${count(model.services.length, 'service')}, ${count(endpoints, 'endpoint')}, ${count(model.roles.size, 'role')}: no mistakes found`,
      );
    });
};

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
