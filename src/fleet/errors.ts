// Every error a client may be told, in one table. Dialects give a row their own shape (data-plane/api), docs/errors.md
// is generated from it, and a test fails for a row that no test provokes.

/** Whose doing it is; `node` rows are what the client is told when nodes failed it. */
export type Fault = 'client' | 'router' | 'node';

export interface ErrorRow {
  readonly status: number;
  /** OpenAI's `error.type`; other dialects derive theirs from it. */
  readonly type: string;
  readonly fault: Fault;
  /** True where the same request may succeed later. */
  readonly retryable: boolean;
  /** A sentence that says what to do. */
  readonly message: string;
}

const table = {
  invalid_json: {
    status: 400,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message: 'The body is not a JSON object. Send one, with content-type application/json.',
  },
  invalid_form: {
    status: 400,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message:
      'The body is not a plain multipart/form-data form: each part needs one content-disposition with a quoted name, and the content-type the boundary.',
  },
  missing_model: {
    status: 400,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message: 'The body has no "model". Name one of those listed by GET /v1/models.',
  },
  invalid_model: {
    status: 400,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message: '"model" must be a non-empty string. Name one of those listed by GET /v1/models.',
  },
  invalid_header: {
    status: 400,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message: 'A request header has an unusable value.',
  },
  body_timeout: {
    status: 408,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: true,
    message: 'The body did not arrive in time. Send it faster, or raise timeouts.clientBody.',
  },
  body_too_large: {
    status: 413,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message: 'The body is larger than this router accepts (limits.body).',
  },
  unsupported_encoding: {
    status: 415,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message: 'Of compressed bodies only gzip is taken, once. Send content-encoding: gzip, or the body as it is.',
  },
  unsupported_field: {
    status: 400,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message:
      'No node of this model speaks this endpoint itself, and a field of the request cannot be said in another dialect. Leave it out, or use another endpoint.',
  },
  invalid_encoding: {
    status: 400,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message: 'The body is not the whole gzip that its content-encoding says. Send it so, or without content-encoding.',
  },
  invalid_api_key: {
    status: 401,
    type: 'authentication_error',
    fault: 'client',
    retryable: false,
    message: 'No valid API key was sent. Send "Authorization: Bearer KEY" with a key of this router.',
  },
  not_allowed: {
    status: 403,
    type: 'permission_error',
    fault: 'client',
    retryable: false,
    message: 'This key may not do this. Ask the operator for a key that may.',
  },
  foreign_origin: {
    status: 403,
    type: 'permission_error',
    fault: 'client',
    retryable: false,
    message:
      'A web page of another origin, or a host name this router does not know, may not use it without a key. Call it as localhost, name the origin in cors.origins, or require keys (auth.clients: required).',
  },
  not_found: {
    status: 404,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message: 'There is no such path here. The README lists the endpoints.',
  },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message: 'This path does not take that method; see the Allow header.',
  },
  model_not_found: {
    status: 404,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message: 'No node offers this model. GET /v1/models lists those there are.',
  },
  not_one_node: {
    status: 409,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message:
      'Such a command is for one node, and this fleet has several Ollama nodes or none. Let an administrator name the node: weir models pull MODEL --node NODE.',
  },
  rate_limit_exceeded: {
    status: 429,
    type: 'rate_limit_error',
    fault: 'client',
    retryable: true,
    message: "This caller's limit is spent. Try again after the time in Retry-After.",
  },
  capacity_exceeded: {
    status: 503,
    type: 'overloaded_error',
    fault: 'router',
    retryable: true,
    message: 'All nodes are busy and the waiting room is full. Try again after the time in Retry-After.',
  },
  deadline_unreachable: {
    status: 503,
    type: 'overloaded_error',
    fault: 'router',
    retryable: true,
    message:
      'The deadline of this request (x-weir-deadline-ms, x-weir-ttft-slo-ms) has passed or will before its turn comes. Try again after the time in Retry-After.',
  },
  wait_timeout: {
    status: 504,
    type: 'timeout_error',
    fault: 'router',
    retryable: true,
    message: 'All nodes stayed busy for as long as this request may wait. Try again after the time in Retry-After.',
  },
  no_ready_node: {
    status: 503,
    type: 'unavailable_error',
    fault: 'router',
    retryable: true,
    message: 'No node that offers this model is ready. Try again after the time in Retry-After.',
  },
  request_rejected: {
    status: 400,
    type: 'invalid_request_error',
    fault: 'client',
    retryable: false,
    message: 'The inference engine refused this request without saying why. Check its parameters.',
  },
  upstream_failed: {
    status: 502,
    type: 'upstream_error',
    fault: 'node',
    retryable: true,
    message: 'The inference nodes failed before an answer began.',
  },
  upstream_timeout: {
    status: 504,
    type: 'timeout_error',
    fault: 'node',
    retryable: true,
    message: 'The inference node sent nothing in time.',
  },
  stream_interrupted: {
    status: 502,
    type: 'upstream_error',
    fault: 'node',
    retryable: true,
    message: 'The inference node stopped in the middle of the answer; what came before is incomplete.',
  },
  draining: {
    status: 503,
    type: 'unavailable_error',
    fault: 'router',
    retryable: true,
    message: 'This router is shutting down. Try again.',
  },
  internal_error: {
    status: 500,
    type: 'api_error',
    fault: 'router',
    retryable: true,
    message: 'The router made a mistake. It was logged under this request id.',
  },
  not_implemented: {
    status: 501,
    type: 'invalid_request_error',
    fault: 'router',
    retryable: false,
    message: 'This endpoint is planned and not built yet.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof table;

export const errors: Readonly<Record<ErrorCode, ErrorRow>> = table;
