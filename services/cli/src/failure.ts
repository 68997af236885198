/** How a command ends; docs/reference/cli.md says the same. */
export const exitCodes = { done: 0, refused: 1, alarm: 3, couldNotAsk: 4, usage: 64 } as const;

/** A refusal or failure to be shown, with the exit code it ends in. */
export class CommandFailure extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number = exitCodes.refused) {
    super(message);
    this.exitCode = exitCode;
  }
}
