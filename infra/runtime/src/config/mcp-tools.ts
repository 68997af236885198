/** The tools of an MCP server: listed in the configuration, or in a file as the server's own `tools/list` answers. */
import { endpointsFromMcp, type McpTool, type ServiceConfig, type Tool } from '@postern/schemas';
import { z } from 'zod';
import type { Described } from './openapi-files.ts';
import { lineFinder, readParsed } from './parsed-file.ts';
import type { FileMistake } from './yaml-file.ts';

/** What a server says of its tools; most of it is for others. */
const ListedTool = z.union([
  z.string().min(1),
  z.looseObject({
    name: z.string().min(1),
    access: z.enum(['read', 'write', 'admin']).optional(),
    annotations: z.looseObject({ readOnlyHint: z.boolean().optional() }).optional(),
  }),
]);
const Listed = z.union([z.array(z.unknown()), z.looseObject({ tools: z.array(z.unknown()) })]);

/** `file` is where mistakes of a list in the configuration stand; `within` finds a file that is named. */
export const readMcp = (
  service: string,
  { path, tools }: NonNullable<ServiceConfig['mcp']>,
  { within, at }: { within: (path: string) => string; at: (what: string) => FileMistake },
): Described => {
  if (typeof tools !== 'string') {
    const [twice] = repeated(tools.map(toTool));
    return twice === undefined
      ? { endpoints: endpointsFromMcp(service, path, tools.map(toTool)), mistakes: [], notes: [] }
      : { endpoints: [], mistakes: [at(`the tool ${twice} stands twice`)], notes: [] };
  }
  const file = within(tools);
  const read = readParsed(file);
  const refused = (mistakes: readonly FileMistake[]): Described => ({ endpoints: [], mistakes, notes: [] });
  if ('mistakes' in read) return refused(read.mistakes.map((mistake) => ({ file, ...mistake })));
  const listed = Listed.safeParse(read.value);
  if (!listed.success)
    return refused([{ file, line: 1, what: 'write a list of tools, or { tools: [ … ] } as tools/list answers' }]);
  const under = Array.isArray(listed.data) ? '' : '/tools';
  const mistakes: FileMistake[] = [];
  const found: Tool[] = [];
  for (const [index, each] of (Array.isArray(listed.data) ? listed.data : listed.data.tools).entries()) {
    const tool = ListedTool.safeParse(each);
    const line = (): number => lineFinder(read.text)(`${under}/${index}`);
    if (!tool.success) mistakes.push({ file, line: line(), what: 'a tool has to have a name' });
    else {
      const made = toTool(tool.data);
      if (found.some(({ name }) => name === made.name))
        mistakes.push({ file, line: line(), what: `the tool ${made.name} stands twice` });
      found.push(made);
    }
  }
  return mistakes.length > 0
    ? refused(mistakes)
    : { endpoints: endpointsFromMcp(service, path, found), mistakes, notes: [] };
};

/** The server's hint makes a tool one that reads; a class that is written goes before it. */
const toTool = (tool: McpTool | z.infer<typeof ListedTool>): Tool => {
  if (typeof tool === 'string') return { name: tool };
  const hinted = 'annotations' in tool && tool.annotations?.readOnlyHint === true ? ('read' as const) : undefined;
  const access = tool.access ?? hinted;
  return { name: tool.name, ...(access !== undefined && { access }) };
};

const repeated = (tools: readonly Tool[]): string[] =>
  tools.map(({ name }) => name).filter((name, index, names) => names.indexOf(name) !== index);
