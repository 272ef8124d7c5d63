import type { AdminState } from './admin-state.ts';
import type { Route } from './call.ts';
import { auditRoutes } from './audit.ts';
import { catalogueRoutes } from './catalogue.ts';
import { keyRoutes } from './keys.ts';
import { logRoutes } from './logs.ts';
import { modelTaskRoutes } from './model-tasks.ts';
import { modelRoutes } from './models.ts';
import { nodeRoutes } from './nodes.ts';
import { openApiRoutes } from './openapi.ts';
import { plannedRoutes } from './planned.ts';
import { requestRoutes } from './requests.ts';
import { routerStateRoutes } from './router-state.ts';
import { settingsRoutes } from './settings.ts';
import { taskRoutes } from './tasks.ts';
import { tokenRoutes } from './tokens.ts';

/** Every route of the admin listener. Those under /api are described in contract/. */
export function adminRoutes(state: AdminState): readonly Route[] {
  return [
    ...nodeRoutes(state),
    ...modelRoutes(state),
    ...catalogueRoutes(state),
    ...modelTaskRoutes(state),
    ...taskRoutes(state),
    ...keyRoutes(state),
    ...tokenRoutes(state),
    ...logRoutes(state),
    ...requestRoutes(state),
    ...settingsRoutes(state),
    ...auditRoutes(state),
    ...routerStateRoutes(state),
    ...openApiRoutes(),
    ...plannedRoutes(),
  ];
}
