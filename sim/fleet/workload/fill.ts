import type { FleetModel } from '../fleet-model.ts';
import type { Workload } from './offer.ts';
import { capacityOf } from './schedule.ts';

/** Requests whose lengths tell how many fill a minute. */
const SAMPLE = 2_000;

/** As many requests as keep the fleet at `load` for so many minutes, `most` at most. */
export function filled(
  make: (requests: number) => Workload,
  fleet: FleetModel,
  { load, minutes, most }: { readonly load: number; readonly minutes: number; readonly most: number },
): Workload {
  const perSecond = load * capacityOf(fleet, make(SAMPLE).offers);
  return make(Math.max(1, Math.min(most, Math.ceil(perSecond * minutes * 60))));
}
