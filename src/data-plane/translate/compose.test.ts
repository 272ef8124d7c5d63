import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compose } from './compose.ts';
import { isUntranslatable, type Translator } from './translation.ts';

/** Wraps whatever passes in the pair's name, so that the order shows. */
function pair(from: string, to: string): Translator {
  const name = `${from}>${to}`;
  return {
    from,
    to,
    translate: (call) =>
      call['bad'] === name
        ? { field: name, message: `${name} cannot` }
        : {
            call: { ...call, [name]: true },
            answer: () => ({
              whole: (answer) => (answer['bad'] === name ? null : { [name]: answer }),
              event: (event) => [{ [name]: event }, { [name]: 'more' }],
              end: () => [{ end: name }],
            }),
          },
  };
}

const both = compose(pair('a', 'b'), pair('b', 'c'));

test('a call goes through both, and the answer comes back through both in the other order', () => {
  assert.deepEqual([both.from, both.to], ['a', 'c']);
  const result = both.translate({});
  assert.ok(!isUntranslatable(result));
  assert.deepEqual(result.call, { 'a>b': true, 'b>c': true });
  const answer = result.answer();
  assert.deepEqual(answer.whole({}), { 'a>b': { 'b>c': {} } });
  assert.deepEqual(answer.whole({ bad: 'b>c' }), null);
  assert.equal(answer.event({}).length, 4);
  assert.deepEqual(answer.end(null), [{ 'a>b': { end: 'b>c' } }, { 'a>b': 'more' }, { end: 'a>b' }]);
});

test('what either cannot say is told by its name', () => {
  for (const name of ['a>b', 'b>c']) {
    const result = both.translate({ bad: name });
    assert.ok(isUntranslatable(result));
    assert.equal(result.field, name);
  }
});

test('a call that must be put elsewhere than to the pair behind is told by the field that asks for it', () => {
  const elsewhere: Translator = {
    ...pair('a', 'b'),
    translate: () => ({
      call: {},
      instead: { to: 'd', field: 'raw' },
      answer: () => ({ whole: () => null, event: () => [], end: () => [] }),
    }),
  };
  const result = compose(elsewhere, pair('b', 'c')).translate({});
  assert.ok(isUntranslatable(result));
  assert.deepEqual([result.field, result.message.startsWith('raw needs d,')], ['raw', true]);
});

test('a field that the pair behind cannot say is told by the name that the client gave it', () => {
  const renaming: Translator = {
    ...pair('a', 'b'),
    translate: () => ({
      call: { bad: 'b>c' },
      nameOf: (field) => (field === 'b>c' ? 'own' : field),
      answer: () => ({ whole: () => null, event: () => [], end: () => [] }),
    }),
  };
  const behind = pair('b', 'c');
  assert.deepEqual(compose(renaming, behind).translate({}), { field: 'own', message: 'own cannot' });
  const within = 'b>c.part[0]';
  const partly: Translator = { ...behind, translate: () => ({ field: within, message: `${within} cannot` }) };
  assert.deepEqual(compose(renaming, partly).translate({}), { field: 'own', message: 'own cannot' });
});
