/** The process that evaluates: it holds no state but compiled expressions, so it can be ended at any moment. */
import jsonata from 'jsonata';
import { encodedId, startOfDay } from './functions.ts';
import type { Asked, Told } from './messages.ts';

const compiled = new Map<string, jsonata.Expression>();

const expressionOf = (text: string): jsonata.Expression => {
  const known = compiled.get(text);
  if (known) return known;
  const expression = jsonata(text);
  expression.registerFunction('id', encodedId, '<(sn)?:s>');
  expression.registerFunction('startOfDay', startOfDay, '<s?s?:s>');
  compiled.set(text, expression);
  return expression;
};

const answer = async ({ expression, input, number }: Asked): Promise<Told> => {
  try {
    const result: unknown = await expressionOf(expression).evaluate(input);
    // As text: results are sequences with members of their own, and nothing but JSON is wanted.
    return { number, outcome: 'made', json: JSON.stringify(result) ?? 'null' };
  } catch (error) {
    const { message, position } = error as { message?: string; position?: number };
    return {
      number,
      outcome: 'failed',
      why: message ?? String(error),
      ...(typeof position === 'number' && { position }),
    };
  }
};

const tell = (told: Told): void => void process.send?.(told);

process.on('message', async (asked) => tell(await answer(asked as Asked)));
process.on('disconnect', () => process.exit());
tell({ outcome: 'ready' });
