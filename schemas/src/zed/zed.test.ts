import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gateSchema } from '../../generated/gate-zed.ts';
import { composeSchema, gateFile } from './compose.ts';
import { givingRelations } from './giving.ts';
import { zedItems } from './items.ts';
import { parseZed } from './parse.ts';
import { type ZedExpression, type ZedSchema, zedText } from './schema.ts';
import { zedTokens } from './tokens.ts';

const own = `use expiration

/** comments { hold } what they like */
caveat near(ip ipaddress, more map<list<string>>) { ip.in_cidr("10.0.0.0/8 }") }

definition team/dept {
	relation head: user
}
definition employee { // one line
	relation manager: user | group#member | user:* with near and expiration
	relation dept: team/dept
	permission view: user | workload = (manager + dept->head) - (nil & self)
	permission all = dept.all(head)
}
`;

test('a schema is read with every part and its line', () => {
  const { uses, caveats, definitions, mistakes } = parseZed(own);
  assert.deepEqual(mistakes, []);
  assert.deepEqual(uses, [{ name: 'expiration', line: 1 }]);
  assert.deepEqual(caveats, [{ name: 'near', parameters: ['ip', 'more'], line: 4 }]);
  const [dept, employee] = definitions;
  assert.deepEqual([dept?.name, dept?.line, dept?.relations[0]?.line], ['team/dept', 6, 7]);
  assert.deepEqual(
    employee?.relations[0]?.allows.map(({ line: _, ...each }) => each),
    [
      { type: 'user', wildcard: false, traits: [] },
      { type: 'group', relation: 'member', wildcard: false, traits: [] },
      { type: 'user', wildcard: true, traits: ['near', 'expiration'] },
    ],
  );
  const [view, all] = employee?.permissions ?? [];
  assert.deepEqual(view?.types, ['user', 'workload']);
  assert.equal(all?.types, undefined);
  assert.ok(view && all);
  assert.equal(zedText(view.expression), '(manager + dept->head) - (nil & self)');
  assert.equal(zedText(all.expression), 'dept.all(head)');
});

test('every mistake is told with its line, and what stands beside it is read', () => {
  const { definitions, mistakes } = parseZed(`definition one {
	relation a user
	relation b: user
	permission = b
	nonsense
	permission view: user = b +
	permission edit: user = b
}
import "other.zed"
definition two {
	relation c: user:everyone
`);
  assert.deepEqual(
    mistakes.map(({ line }) => line).sort((a, b) => a - b),
    [2, 4, 7, 9, 10],
  );
  assert.deepEqual(
    definitions[0]?.relations.map(({ name }) => name),
    ['b'],
  );
  assert.deepEqual(
    definitions[0]?.permissions.map(({ name }) => name),
    ['edit'],
  );
});

test('mixed operators are spelled out as the engine binds them', () => {
  const text = (expression: string): string => {
    const [permission] = parseZed(`definition d {\n permission p = ${expression}\n}`).definitions[0]?.permissions ?? [];
    return permission === undefined ? '' : zedText(permission.expression);
  };
  assert.equal(text('a - b + c'), 'a - (b + c)');
  assert.equal(text('a + b & c'), '(a + b) & c');
  assert.equal(text('a & b - c & d'), '(a & b) - (c & d)');
});

test('what gives a permission is what stands before a minus, over permissions of the type itself', () => {
  const schema = parseZed(
    'definition doc {\n relation a: user\n relation b: user\n relation up: doc\n permission base = a + up->view\n permission view = base - b\n}',
  );
  assert.deepEqual(givingRelations(schema, 'doc', 'view'), ['a', 'up->view']);
  assert.deepEqual(givingRelations(schema, 'doc', 'nothing'), []);
});

test('no file is the gate; a file of some definitions stands beside those of the gate, each line known by its file', () => {
  assert.equal(composeSchema([]).text, gateSchema);
  const file = 'z.zed';
  const text = 'use expiration\ndefinition employee {\n\trelation boss: user\n}\n';
  const composed = composeSchema([{ file, text }]);
  const lines = composed.text.split('\n');
  const line = lines.indexOf('\trelation boss: user') + 1;
  assert.deepEqual(composed.placeOf(line), { file, line: 3 });
  assert.deepEqual(composed.placeOf(lines.indexOf('definition user {}') + 1).file, gateFile);
  assert.equal(parseZed(composed.text).definitions.filter(({ name }) => name === 'employee').length, 1);
  const twice = composeSchema([
    { file: 'a.zed', text },
    { file: 'b.zed', text },
  ]);
  assert.deepEqual(
    twice.mistakes.map((each) => [each.file, each.line, each.what]),
    [['b.zed', 2, 'the definition employee is defined already, at a.zed:2']],
  );
});

const words = fc.constantFrom(
  'definition',
  'relation',
  'permission',
  'caveat',
  'use',
  'with',
  'and',
  'user',
  'nil',
  '{',
  '}',
  '(',
  ')',
  ':',
  '=',
  '|',
  '#',
  '*',
  '->',
  '.',
  '+',
  '&',
  '-',
  '<',
  ',',
  '"',
  "'",
  '/*',
  '*/',
  '//',
  '\n',
  ' ',
  '\u2028',
  '\ud800',
);
const soup = fc.oneof(
  fc.array(words, { maxLength: 80 }).map((each) => each.join(' ')),
  fc.string({ unit: 'binary' }),
);

test('whatever the text, reading it does not throw, and every place lies inside it', () => {
  fc.assert(
    fc.property(soup, (text) => {
      const count = text.split('\n').length;
      const inside = (line: number) => assert.ok(line >= 1 && line <= count, `line ${line} of ${count}`);
      let at = 0;
      for (const token of zedTokens(text)) {
        assert.ok(token.from >= at && token.to >= token.from && token.to <= text.length);
        assert.equal(text.slice(token.from, token.to), token.text);
        at = token.to;
        inside(token.line);
      }
      for (const { line } of [...zedItems(text).items, ...zedItems(text).strays]) inside(line);
      const { definitions, caveats, mistakes } = parseZed(text);
      for (const { line } of [...definitions, ...caveats, ...mistakes]) inside(line);
      for (const { relations, permissions } of definitions)
        for (const { line } of [...relations, ...permissions]) inside(line);
      const composed = composeSchema([{ file: 'a.zed', text }]);
      for (let line = 0; line <= composed.text.split('\n').length; line++)
        if (composed.placeOf(line).file === 'a.zed') inside(composed.placeOf(line).line);
    }),
    { numRuns: 1_000 },
  );
});

const name = fc
  .stringMatching(/^[a-z][a-z0-9_]{2,8}$/)
  .filter((each) => !/^(relation|permission|definition|caveat|nil|self|use|with|and|import|partial)$/.test(each));
const leaf: fc.Arbitrary<ZedExpression> = fc.oneof(
  name.map((each): ZedExpression => ({ kind: 'name', name: each, line: 0 })),
  fc
    .tuple(name, name, fc.boolean())
    .map(([relation, permission, all]): ZedExpression => ({ kind: 'arrow', relation, permission, all, line: 0 })),
  fc.constantFrom<ZedExpression>({ kind: 'nil', line: 0 }, { kind: 'self', line: 0 }),
);
/** One operator between two parentheses: what {@link zedText} prints it as. */
const expression = fc.letrec<{ any: ZedExpression }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc
      .tuple(
        fc.array(tie('any'), { minLength: 2, maxLength: 4 }),
        fc.constantFrom('+' as const, '&' as const, '-' as const),
      )
      .map(
        ([operands, operator]): ZedExpression => ({
          kind: 'chain',
          operands,
          operators: operands.slice(1).map(() => operator),
          line: 0,
        }),
      ),
  ),
})).any;

test('an expression that is printed reads as the same expression', () => {
  const bare = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (key, each) => (key === 'line' ? 0 : each)));
  fc.assert(
    fc.property(expression, (written) => {
      const read: ZedSchema = parseZed(`definition doc {\n\tpermission view: user = ${zedText(written)}\n}`);
      assert.deepEqual(read.mistakes, []);
      assert.deepEqual(bare(read.definitions[0]?.permissions[0]?.expression), bare(written));
    }),
    { numRuns: 1_000 },
  );
});
