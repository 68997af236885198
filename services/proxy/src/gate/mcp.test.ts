import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf } from './inspect.ts';
import { readMcpCall } from './mcp.ts';

const read = (message: unknown, headers: Record<string, string> = {}, method = 'POST') => {
  const body = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
  const call = readMcpCall({ method, body, header: (name) => headers[name] });
  return call.outcome === 'read' ? nameOf(call.operation) : `refused: ${call.why}`;
};
const rpc = (method: unknown, params?: unknown, more: object = { id: 1 }) => ({
  jsonrpc: '2.0',
  method,
  ...(params !== undefined && { params }),
  ...more,
});

test('a call of a tool is told by its name, any other message by its method', () => {
  assert.equal(read(rpc('tools/call', { name: 'pay', arguments: { name: 'x', Name: 'y' } })), 'tool.pay');
  assert.equal(read(rpc('initialize', {})), 'rpc.initialize');
  assert.equal(read(rpc('tools/list')), 'rpc.tools/list');
  assert.equal(read(rpc('notifications/initialized', undefined, {})), 'rpc.notifications/initialized');
  assert.equal(read({ jsonrpc: '2.0', id: 1, result: {} }), 'mcp.answer');
  assert.equal(read({ jsonrpc: '2.0', id: 'a', error: { code: 1, message: '' } }), 'mcp.answer');
  assert.equal(read('', {}, 'GET'), 'mcp.listen');
  assert.equal(read('', {}, 'DELETE'), 'mcp.close');
});

test('a message that two readers could take for two calls is refused', () => {
  const rows: readonly (readonly [unknown, RegExp])[] = [
    [[rpc('ping')], /several/],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', /stands twice/],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}', /stands twice/],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","\\u006eame":"b"}}', /stands twice/],
    [rpc('tools/call', { name: 'a', Name: 'b' }), /two ways/],
    [rpc('ping', undefined, { id: 1, Method: 'tools/call' }), /no member "Method"/],
    [rpc('ping', undefined, { id: 1, result: {} }), /no member "result"/],
    [rpc('ping', undefined, { id: null }), /the id/],
    [rpc('ping', undefined, { id: [1] }), /the id/],
    [rpc(7), /has to be a name/],
    [rpc('tools/call'), /has to name a tool/],
    [rpc('tools/call', { name: ['a'] }), /has to name a tool/],
    [rpc('tools/call', ['a']), /has to be an object/],
    [{ ...rpc('ping'), jsonrpc: '1.0' }, /2\.0/],
    [{ jsonrpc: '2.0', id: 1 }, /no JSON-RPC/],
    [{ jsonrpc: '2.0', id: 1, result: 1, error: 2 }, /no JSON-RPC/],
    [{ jsonrpc: '2.0', result: 1 }, /no JSON-RPC/],
    ['tools', /cannot be read/],
    [7, /2\.0/],
  ];
  for (const [message, why] of rows) assert.match(read(message), why, JSON.stringify(message));
});

test('headers that name what is called have to agree with the body', () => {
  const call = rpc('tools/call', { name: 'pay' });
  assert.equal(read(call, { 'mcp-method': 'tools/call', 'mcp-name': 'pay' }), 'tool.pay');
  assert.match(read(call, { 'mcp-method': 'ping' }), /mcp-method/);
  assert.match(read(call, { 'mcp-name': 'search' }), /mcp-name/);
  assert.match(read(rpc('resources/read', { uri: 'a:b' }), { 'mcp-name': 'a:c' }), /mcp-name/);
});
