import { FormScan } from './api/form-scan.ts';
import { isForm } from './api/read-form.ts';
import type { DataPlane } from './data-plane.ts';
import { declaredLength, isBodyUnread, type ReadBody } from './http/read-body.ts';
import { endUnread } from './http/linger.ts';
import { codingOf } from './http/request-headers.ts';
import { Upload } from './http/upload.ts';
import type { Trip } from './trip.ts';

// Which bodies are sent on while they come, and what that changes on the way. Only forms can be long, and most of what is long in
// them is a file that the router need not see. A short form is read whole like any other body: that costs no more than holding its
// client back, whose leaving could then not be seen.

const SHORT_BYTES = 256 * 1024;

/** Reads a form that is to be sent on while it comes; null for a body that is read whole. */
export function scanOf({ route, request }: Trip): FormScan | null {
  const contentType = request.headers['content-type'];
  if (!route.takesForm || contentType === undefined || !isForm(contentType)) return null;
  if (codingOf(request) !== 'identity') return null;
  const isLong = request.headers['transfer-encoding'] !== undefined || declaredLength(request) > SHORT_BYTES;
  return isLong ? FormScan.of(contentType) : null;
}

/** Reads a form until it can be placed; what comes after is `trip.upload`, unless that was all. */
export async function readHead(
  { settings, clock, deadlines }: DataPlane,
  trip: Trip,
  scan: FormScan,
): Promise<ReadBody> {
  const { leaving, request } = trip;
  if (leaving.hasLeft) return { kind: 'gone' };
  const upload = new Upload(request, {
    scan,
    limitBytes: settings.limits.bodyBytes,
    timeoutMs: settings.timeouts.clientBodyMs,
    clock,
    deadlines,
    leaving,
    onFault: (code, message) => trip.endBy(code, message),
  });
  trip.upload = upload;
  await upload.opened;
  if (leaving.hasLeft) return { kind: 'gone' };
  const bytes = upload.takeHead();
  if (upload.isWhole) trip.upload = null;
  return { kind: 'whole', bytes };
}

/** The router's own headers of an answer that begins now. One that comes before its upload is through is the last on its connection. */
export function headersOfAnswer(plane: DataPlane, trip: Trip): string[] {
  const { upload, request, response, outlet } = trip;
  if (upload === null || !isBodyUnread(request)) return plane.answerHeaders(trip);
  outlet.ending = () => {
    upload.close();
    endUnread(request, response, plane.clock);
  };
  return [...trip.ownHeaders(), 'connection', 'close'];
}

/** The request is over: its upload is wanted no more. */
export function endUpload(trip: Trip): void {
  if (trip.upload === null) return;
  trip.upload.close();
  trip.requestBytes = trip.upload.receivedBytes;
}
