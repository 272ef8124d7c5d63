import { keyEndpoints } from './keys.ts';
import { modelEndpoints } from './models.ts';
import { nodeEndpoints } from './nodes.ts';
import { requestEndpoints } from './requests.ts';
import { routerStateEndpoints } from './router-state.ts';
import { settingsEndpoints } from './settings.ts';
import { taskEndpoints } from './tasks.ts';
import { tokenEndpoints } from './tokens.ts';

/** Every endpoint of the admin API, in the order in which they are shown. */
export const endpoints = {
  ...nodeEndpoints,
  ...modelEndpoints,
  ...taskEndpoints,
  ...keyEndpoints,
  ...tokenEndpoints,
  ...requestEndpoints,
  ...settingsEndpoints,
  ...routerStateEndpoints,
} as const;
