/** docs/reference/cli.md, made from the commands themselves. Run it to write the page: `node services/cli/src/reference.ts`. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { posternProgram } from './program.ts';

const opening = `# The command \`postern\`

\`postern COMMAND --help\` says the same as this page, which is made from the commands (\`node services/cli/src/reference.ts\`).

What was asked for goes to stdout, everything else to stderr: errors as \`postern: what happened\`, what to do about it, and a code
that [failure-modes.md](../failure-modes.md) explains. Tables are for people; \`--json\` is for programs.

## Exit codes

| code | means |
| --- | --- |
| 0 | done; \`can\`: allow; \`audit verify\`: intact |
| 1 | refused, or there is a mistake in what was given; \`can\`: deny; \`audit verify\`: not intact; \`up\` and \`serve\`: cannot start |
| 3 | \`audit monitor\`: alarm, a log is not what it was |
| 4 | could not ask: the gate is not reached, or cannot decide now; for \`can\` also a question that was refused, because that is no deny |
| 64 | the command line itself is wrong |

## Whom it asks, and as whom

Every command but \`up\`, \`serve\`, \`init\` and \`check\` goes through the gate with an API key, like everybody else's call.

| what | taken from, the first that is there |
| --- | --- |
| the gate | \`--gate\`, \`POSTERN_URL\`, http://127.0.0.1:8080 |
| the key | \`--key\`, \`POSTERN_KEY\`, the file \`admin.key\` in the data folder (\`--data\`, \`./.postern\`) |
`;

const section = (command: Command, above: string): string[] => {
  const name = `${above} ${command.name()}`;
  const subcommands = command.commands.filter((each) => each.name() !== 'help');
  if (subcommands.length > 0) return subcommands.flatMap((each) => section(each, name));
  const given = command.registeredArguments.map((each) => ` <${each.name()}>`).join('');
  const options = command.options.map(({ flags, description, mandatory, argChoices, defaultValue }) => {
    const more = [
      mandatory && 'required',
      argChoices && `one of ${argChoices.join(', ')}`,
      defaultValue !== undefined && `default \`${defaultValue}\``,
    ].filter(Boolean);
    return `| \`${flags}\` | ${description}${more.length > 0 ? ` (${more.join('; ')})` : ''} |`;
  });
  return [
    `### \`${name.trim()}${given}\``,
    '',
    `${command.description()}.`,
    '',
    ...(options.length > 0 ? ['| option | |', '| --- | --- |', ...options, ''] : []),
  ];
};

export const referenceText = (): string =>
  [opening, '## Commands', '', ...posternProgram().commands.flatMap((command) => section(command, 'postern'))].join(
    '\n',
  );

export const referenceFile = fileURLToPath(new URL('../../../docs/reference/cli.md', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(referenceFile, referenceText());
