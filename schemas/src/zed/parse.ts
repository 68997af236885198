/**
 * Reads a schema by recursive descent and goes on after a mistake, so that all of them are told at once. It is no compiler: the
 * engine has the last word, and lint needs what the engine does not tell (docs/adr: no npm package keeps lines and annotations).
 */
import { zedItems } from './items.ts';
import type {
  ZedAllowed,
  ZedCaveat,
  ZedDefinition,
  ZedExpression,
  ZedMistake,
  ZedOperator,
  ZedPermission,
  ZedRelation,
  ZedSchema,
} from './schema.ts';
import { type ZedToken, zedTokens } from './tokens.ts';

export const parseZed = (text: string): ZedSchema => {
  const { items, strays } = zedItems(text);
  const tokens = zedTokens(text);
  const definitions: ZedDefinition[] = [];
  const caveats: ZedCaveat[] = [];
  const mistakes: ZedMistake[] = [...strays];
  for (const item of items) {
    if (item.kind === 'use') continue;
    const own = tokens.filter(({ from, to }) => from >= item.from && to <= item.to);
    if (item.kind === 'caveat') caveats.push({ name: item.name, parameters: parametersOf(own), line: item.line });
    else definitions.push(readDefinition(item.name, item.line, own, mistakes));
  }
  const uses = items.flatMap(({ kind, name, line }) => (kind === 'use' ? [{ name, line }] : []));
  return { uses, definitions, caveats, mistakes };
};

/** `caveat name ( a type, b list<map<any>> ) {`: every word that a type follows. */
const parametersOf = (tokens: readonly ZedToken[]): string[] => {
  const names: string[] = [];
  for (let at = 2, depth = 0; at < tokens.length && tokens[at]?.text !== '{'; at++) {
    const text = tokens[at]?.text;
    if (text === '<') depth++;
    if (text === '>') depth--;
    if (depth === 0 && (text === '(' || text === ',') && tokens[at + 1]?.kind === 'word')
      names.push((tokens[at + 1] as ZedToken).text);
  }
  return names;
};

class Mistaken extends Error {
  readonly mistake: ZedMistake;
  constructor(mistake: ZedMistake) {
    super(mistake.what);
    this.mistake = mistake;
  }
}

/** `tokens` are the definition's own: definition NAME { … } */
const readDefinition = (
  name: string,
  line: number,
  tokens: readonly ZedToken[],
  mistakes: ZedMistake[],
): ZedDefinition => {
  const relations: ZedRelation[] = [];
  const permissions: ZedPermission[] = [];
  const reader = readerOf(tokens, 3);
  while (!reader.isAt('}')) {
    try {
      const { text, line: at } = reader.take();
      if (text === 'relation') relations.push(readRelation(reader, at));
      else if (text === 'permission') permissions.push(readPermission(reader, at));
      else
        throw new Mistaken({
          line: at,
          what: `"${text}" is not expected in the definition ${name}`,
          fix: 'write "relation NAME: TYPE | TYPE" or "permission NAME: TYPE = EXPRESSION", each on a line of its own',
        });
    } catch (error) {
      if (!(error instanceof Mistaken)) throw error;
      mistakes.push(error.mistake);
      while (!(reader.isAt('}') || reader.isAt('relation') || reader.isAt('permission'))) reader.take();
    }
  }
  return { name, relations, permissions, line };
};

type Reader = {
  readonly take: () => ZedToken;
  readonly isAt: (text: string) => boolean;
  readonly expect: (text: string, fix: string) => void;
  readonly word: (what: string) => ZedToken;
  readonly line: () => number;
};

const readerOf = (tokens: readonly ZedToken[], start: number): Reader => {
  let at = start;
  // The last token is the closing brace, which nothing takes.
  const token = (): ZedToken => tokens[Math.min(at, tokens.length - 1)] as ZedToken;
  const take = (): ZedToken => {
    const taken = token();
    at++;
    return taken;
  };
  return {
    take,
    isAt: (text) => token().text === text || (text !== '}' && at >= tokens.length - 1 && text === ''),
    expect: (text, fix) => {
      if (token().text !== text)
        throw new Mistaken({ line: token().line, what: `"${text}" is expected, not "${token().text}"`, fix });
      at++;
    },
    word: (what) => {
      if (token().kind === 'word' && !/^(relation|permission|definition)$/.test(token().text)) return take();
      throw new Mistaken({ line: token().line, what: `${what} is expected, not "${token().text}"` });
    },
    line: () => token().line,
  };
};

const readRelation = (reader: Reader, line: number): ZedRelation => {
  const { text: name } = reader.word("a relation's name");
  reader.expect(':', `write "relation ${name}: TYPE", with the types that may stand in it`);
  const allows: ZedAllowed[] = [];
  do allows.push(readAllowed(reader));
  while (took(reader, '|'));
  return { name, allows, line };
};

const readAllowed = (reader: Reader): ZedAllowed => {
  const { text: type, line } = reader.word('a subject type');
  let relation: string | undefined;
  let wildcard = false;
  if (took(reader, '#')) relation = reader.word("a relation's name").text;
  else if (took(reader, ':')) {
    reader.expect('*', 'write TYPE:* for everybody of a type, TYPE#RELATION for a relation, TYPE for one subject');
    wildcard = true;
  }
  const traits: string[] = [];
  if (took(reader, 'with'))
    do traits.push(reader.word('a caveat').text);
    while (took(reader, 'and'));
  return { type, ...(relation !== undefined && { relation }), wildcard, traits, line };
};

const readPermission = (reader: Reader, line: number): ZedPermission => {
  const { text: name } = reader.word("a permission's name");
  let types: string[] | undefined;
  if (took(reader, ':')) {
    types = [];
    do types.push(reader.word('a subject type').text);
    while (took(reader, '|'));
  }
  reader.expect('=', `write "permission ${name}: TYPE = EXPRESSION"`);
  return { name, types, expression: readExpression(reader), line };
};

const isOperator = (text: string): text is ZedOperator => text === '+' || text === '&' || text === '-';

const readExpression = (reader: Reader): ZedExpression => {
  const line = reader.line();
  const operands = [readOperand(reader)];
  const operators: ZedOperator[] = [];
  for (;;) {
    const operator = (['+', '&', '-'] as const).find((each) => reader.isAt(each));
    if (operator === undefined || !isOperator(operator)) break;
    reader.take();
    operators.push(operator);
    operands.push(readOperand(reader));
  }
  const [only] = operands;
  return operators.length === 0 && only !== undefined ? only : { kind: 'chain', operands, operators, line };
};

const readOperand = (reader: Reader): ZedExpression => {
  if (took(reader, '(')) {
    const inside = readExpression(reader);
    reader.expect(')', 'close the parenthesis');
    return inside;
  }
  const { text: name, line } = reader.word('the name of a relation or permission');
  if (took(reader, '->'))
    return {
      kind: 'arrow',
      relation: name,
      permission: reader.word('what the arrow leads to').text,
      all: false,
      line,
    };
  if (took(reader, '.')) {
    const { text: quantifier } = reader.word('any or all');
    reader.expect('(', `write ${name}.any(PERMISSION) or ${name}.all(PERMISSION)`);
    const permission = reader.word('what the arrow leads to').text;
    reader.expect(')', 'close the parenthesis');
    return { kind: 'arrow', relation: name, permission, all: quantifier === 'all', line };
  }
  return name === 'nil' || name === 'self' ? { kind: name, line } : { kind: 'name', name, line };
};

const took = (reader: Reader, text: string): boolean => {
  if (!reader.isAt(text)) return false;
  reader.take();
  return true;
};
