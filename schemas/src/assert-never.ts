/** Makes the compiler refuse a switch that forgets a case, and the process refuse a value that no type foresaw. */
export const assertNever = (value: never): never => {
  throw new TypeError(`unforeseen case: ${JSON.stringify(value)}`);
};
