import type { Route } from './call.ts';

// That of package.json; a test compares them.
const API_VERSION = '0.1.0';

/** The API's own description. */
export function openApiRoutes(): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/openapi.json',
      answer: async () => {
        const { endpoints } = await import('./contract/endpoints.ts');
        const { openApiDocument } = await import('./contract/openapi-document.ts');
        return { status: 200, body: openApiDocument(endpoints, API_VERSION) };
      },
    },
  ];
}
