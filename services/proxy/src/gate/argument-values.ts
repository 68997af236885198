/** The values at a path of an argument: what they name has to be the same to every reader. */
import { folded, isObject, textOfNumber } from './strict-json.ts';

export type Values = { readonly values: readonly string[] } | { readonly why: string };

const integer = /^(?:0|-?[1-9]\d*)$/;

/** `value` as `parseAsWritten` gave it. Lists are looked through: each of their elements is named. */
export const valuesAt = (value: unknown, path: readonly string[], whole: string): Values => {
  if (Array.isArray(value)) {
    const each = value.map((element) => valuesAt(element, path, whole));
    const wrong = each.find((found) => 'why' in found);
    if (wrong !== undefined) return wrong;
    const values = each.flatMap((found) => ('values' in found ? found.values : []));
    return values.length === 0 ? namesNothing(whole) : { values };
  }
  const number = textOfNumber(value);
  const [name, ...rest] = path;
  if (name === undefined) {
    if (typeof value === 'string') return { values: [value] };
    if (number === undefined) return namesNothing(whole);
    return integer.test(number) ? { values: [number] } : { why: `the argument ${whole} is no whole number` };
  }
  if (number !== undefined || !isObject(value)) return namesNothing(whole);
  const alike = Object.keys(value).filter((each) => folded(each) === folded(name));
  if (alike.length > 1) return { why: `the argument ${whole} is named in two ways` };
  return Object.hasOwn(value, name) ? valuesAt(value[name], rest, whole) : namesNothing(whole);
};

const namesNothing = (whole: string): Values => ({ why: `the argument ${whole} names no object` });
