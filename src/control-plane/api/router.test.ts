import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, type Route } from './call.ts';
import { matchRoute } from './router.ts';

const answer: Route['answer'] = () => ({ status: 200, body: null });
const routes: readonly Route[] = [
  { method: 'GET', path: '/api/models/catalogue', answer },
  { method: 'GET', path: '/api/models/:id', answer },
  { method: 'DELETE', path: '/api/models/:id', answer },
];

test('segments match one by one, parameters are decoded, the first match wins', () => {
  assert.equal(matchRoute(routes, 'GET', '/api/models/catalogue').route, routes[0]);
  assert.deepEqual(matchRoute(routes, 'DELETE', '/api/models/a%2Fb').params, { id: 'a/b' });
});

test('what does not match is 404, a wrong method 405 with those that are taken', () => {
  for (const path of ['/', '/api/models', '/api/models/', '/api/models/a/b', '/api/models/%ff', '//api/models/a']) {
    assert.throws(
      () => matchRoute(routes, 'GET', path),
      (error) => error instanceof ApiError && error.status === 404,
      path,
    );
  }
  assert.throws(
    () => matchRoute(routes, 'PUT', '/api/models/a'),
    (error) => error instanceof ApiError && error.status === 405 && error.headers['allow'] === 'GET, DELETE',
  );
});
