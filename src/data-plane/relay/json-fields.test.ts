import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { spliceFields, withModel } from './field-edits.ts';
import { FieldCursor, scanFields } from './json-fields.ts';

function fieldsOf(text: string): { ok: boolean; fields: [string, string][] } {
  const bytes = Buffer.from(text);
  const fields: [string, string][] = [];
  const ok = scanFields(bytes, 0, bytes.length, (key, start, end, keyStart) => {
    assert.equal(bytes[keyStart], 0x22);
    fields.push([key, bytes.toString('utf8', start, end)]);
  });
  return { ok, fields };
}

/** JSON text of an object with the white space and the escapes that a serialiser never writes. */
const space = fc.stringMatching(/^[ \n\r\t]{0,2}$/);
const key = fc.oneof(fc.constantFrom('model', 'a', 'stream', 'system_fingerprint'), fc.string({ unit: 'binary' }));
const literal = fc.oneof(
  fc.json(),
  fc.constantFrom('1e400', '-0.0', '12345678901234567890123', '"\\u0041\\/"', '"\\\\"', '"\\\\\\""', '[[],{}]'),
  fc
    .string({ unit: fc.constantFrom('"', '\\', 'x'), minLength: 60, maxLength: 140 })
    .map((text) => JSON.stringify(text)),
  fc.string({ unit: 'binary', minLength: 60, maxLength: 140 }).map((text) => JSON.stringify(text)),
);
const keyLiteral = key.chain((name) =>
  fc.boolean().map((isEscaped) => ({
    name,
    text: isEscaped
      ? `"${Array.from({ length: name.length }, (_, index) => `\\u${name.charCodeAt(index).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(name),
  })),
);
const field = fc.tuple(keyLiteral, literal, fc.array(space, { minLength: 4, maxLength: 4 }));
const written = fc.array(field, { maxLength: 7 }).map((fields) => ({
  fields: fields.map(([name, value]) => [name.name, value] as const),
  text: `{${fields.map(([name, value, [a, b, c, d]]) => `${a}${name.text}${b}:${c}${value}${d}`).join(',')}}`,
}));

test('finds every top-level field, with escapes decoded and values byte for byte', () => {
  fc.assert(
    fc.property(written, space, ({ fields, text }, around) => {
      const found = fieldsOf(`${around}${text}${around}`);
      assert.equal(found.ok, true);
      assert.deepEqual(
        found.fields.map(([name, value]) => [name, value.trim()]),
        fields.map(([name, value]) => [Buffer.from(name).toString(), value.trim()]),
      );
    }),
  );
});

test('refuses what is not one whole object', () => {
  const broken = [
    '',
    ' ',
    '[]',
    '[{}]',
    'null',
    '"x"',
    '{',
    '{"a"',
    '{"a":',
    '{"a":}',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    '{,}',
  ];
  broken.push(
    '{a:1}',
    '{"a":x}',
    '{"a":1}}',
    '{"a":1} x',
    '{"a" 1}',
    '{"a":"b}',
    '{"a":[1}',
    '{"a":1 "b":2}',
    '{"a":tr"ue}',
  );
  for (const text of broken) assert.equal(fieldsOf(text).ok, false, text);
});

test('cut anywhere, an object is never taken for whole', () => {
  const text = '{"model":"a\\\\","x":[{"y":"}]"},-1.5e3],"z":{"model":null}}';
  for (let length = 0; length < text.length; length += 1) assert.equal(fieldsOf(text.slice(0, length)).ok, false);
  assert.equal(fieldsOf(text).ok, true);
});

test('nesting of any depth costs no stack', () => {
  const deep = `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)},"model":"m"}`;
  const found = fieldsOf(deep);
  assert.equal(found.ok, true);
  assert.deepEqual(found.fields[1], ['model', '"m"']);
});

test('reads only the given part of the Buffer', () => {
  const bytes = Buffer.from('xx{"a":"b"}","c":1}');
  const seen: string[] = [];
  assert.equal(
    scanFields(bytes, 2, 11, (name) => seen.push(name)),
    true,
  );
  assert.deepEqual(seen, ['a']);
});

test('a cursor steps over the elements of an array and can be used again', () => {
  const bytes = Buffer.from(' [1, "a]", {"b":[2]} ] ');
  const cursor = new FieldCursor();
  for (let round = 0; round < 2; round += 1) {
    const values: string[] = [];
    assert.equal(cursor.open(bytes, 0, bytes.length), true);
    while (cursor.next()) values.push(bytes.toString('utf8', cursor.valueStart, cursor.valueEnd));
    assert.deepEqual(values, ['1', '"a]"', '{"b":[2]}']);
    assert.equal(cursor.complete, true);
    assert.equal(cursor.next(), false);
  }
});

test('splicing changes every occurrence of the named fields and no other byte', () => {
  const value = Buffer.from('"new"');
  fc.assert(
    fc.property(written, ({ fields, text }) => {
      const out = spliceFields(Buffer.from(text), [
        { key: 'model', value },
        { key: 'system_fingerprint', value: null },
      ]).toString();
      const expected = fields
        .filter(([name]) => name !== 'system_fingerprint')
        .map(([name, old]) => [name, name === 'model' ? '"new"' : old.trim()]);
      const found = fieldsOf(out);
      assert.equal(found.ok, true, out);
      assert.deepEqual(
        found.fields.map(([name, old]) => [name, old]),
        expected.map(([name, old]) => [Buffer.from(name ?? '').toString(), old]),
      );
      assert.doesNotThrow(() => JSON.parse(out));
    }),
  );
});

function drop(text: string): string {
  return spliceFields(Buffer.from(text), [{ key: 'x', value: null }]).toString();
}

test('a dropped field takes exactly one comma with it, wherever it stands', () => {
  assert.equal(drop('{"x":1}'), '{}');
  assert.equal(drop('{"x":1,"a":2}'), '{"a":2}');
  assert.equal(drop('{"a":2 , "x":1}'), '{"a":2}');
  assert.equal(drop('{"a":2,"x":1,"b":3}'), '{"a":2,"b":3}');
  assert.equal(drop('{ "x":1, "x":2 , "a":1e400,"x":3,"x":4 }'), '{ "a":1e400 }');
  assert.equal(drop('{ "x":1, "x":2 }'), '{  }');
});

test('the same Buffer comes back where nothing changes', () => {
  for (const text of ['{"model":"m","a":1}', '{}', 'nonsense', '{"model":"z"', '[1]']) {
    const bytes = Buffer.from(text);
    assert.equal(withModel(bytes, 'm'), bytes);
    assert.equal(spliceFields(bytes, [{ key: 'absent', value: null }]), bytes);
  }
});

test('a request names the engine’s model on every spelling an engine may believe', () => {
  const body = Buffer.from(
    '{"model":"a","Model":"b","mod\\u0065l":7,"MODEL":{"keep":1},"metadata":{"model":"a"},"n":1e400}',
  );
  assert.equal(
    withModel(body, 'org/"q"').toString(),
    '{"model":"org/\\"q\\"","Model":"org/\\"q\\"","mod\\u0065l":"org/\\"q\\"","MODEL":{"keep":1},"metadata":{"model":"a"},"n":1e400}',
  );
});
