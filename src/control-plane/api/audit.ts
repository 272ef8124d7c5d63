import type { AdminState } from './admin-state.ts';
import type { Route } from './call.ts';

/** What administrators, and changes of the configuration, have changed. */
export function auditRoutes({ audit }: AdminState): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/audit',
      answer: async (call) => {
        const { auditFilter, checkQuery } = await import('./input.ts');
        return { status: 200, body: audit.list(checkQuery(auditFilter, call.query)) };
      },
    },
  ];
}
