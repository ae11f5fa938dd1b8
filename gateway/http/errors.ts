import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { PresageError } from '../../core/index.ts';

/** An error as it goes out: status, code and sentence; never a stack, never what a dependency said about itself. */
export interface HttpError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;
}

/** Statuses of our own codes. A code that is not listed is 503 where a retry can help, else 400. */
const statuses: Readonly<Record<string, number>> = {
  missing_key: 401,
  bad_key: 401,
  key_revoked: 401,
  key_expired: 401,
  token_expired: 401,
  token_invalid: 401,
  not_signed_in: 401,
  link_used: 401,
  tenant_mismatch: 403,
  forbidden_scope: 403,
  forbidden_subject: 403,
  forbidden_source: 403,
  cross_origin: 403,
  not_found: 404,
  unknown_decision: 404,
  unknown_subject: 404,
  key_not_found: 404,
  unknown_review: 404,
  already_reviewed: 409,
  review_expired: 409,
  body_too_large: 413,
  event_too_large: 413,
  batch_too_large: 413,
  unsupported_encoding: 415,
  idempotency_key_reused: 422,
  overloaded: 429,
  internal: 500,
  no_warehouse: 503,
};

/** Codes of fastify itself, in our words. */
const fastifyErrors: Readonly<Record<string, readonly [status: number, code: string, message: string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'malformed_json', 'The body is not valid JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'malformed_json', 'The body is empty; JSON was expected.'],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'body_too_large', 'The body is too large.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    400,
    'malformed_request',
    'The body is not as long as its Content-Length says.',
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    415,
    'unsupported_media_type',
    'Send the body as JSON with Content-Type: application/json (or text/plain, as browsers do when they close).',
  ],
  FST_ERR_BAD_URL: [400, 'malformed_request', 'The path is not a valid URL path.'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'malformed_request', 'The path is too long.'],
  FST_ERR_HANDLER_TIMEOUT: [503, 'timeout', 'This took too long and was given up; try again.'],
};

/** What to answer for anything thrown. Whatever we did not foresee is `internal`: the caller logs it in full. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof PresageError) {
    const status = statuses[error.code] ?? (error.retriable ? 503 : 400);
    return {
      status,
      code: error.code,
      message: error.message,
      ...(Object.keys(error.details).length > 0 ? { details: error.details } : {}),
      ...(error.retriable ? { retryAfter: 1 } : {}),
    };
  }
  if (hasZodFastifySchemaValidationErrors(error)) return invalidRequest(error);
  const code = (error as Partial<FastifyError> | null)?.code ?? '';
  const known = fastifyErrors[code];
  if (known !== undefined) {
    const [status, ours, message] = known;
    return { status, code: ours, message, ...(status === 503 ? { retryAfter: 1 } : {}) };
  }
  // What a plug-in refuses is the request's fault too, such as a path that leads out of a folder of static files.
  const asked = (error as Partial<FastifyError> | null)?.statusCode ?? 500;
  if (asked === 403 || asked === 404)
    return { status: 404, code: 'not_found', message: 'There is nothing at this address.' };
  if (asked >= 400 && asked < 500)
    return { status: asked, code: 'malformed_request', message: 'The request could not be understood.' };
  return {
    status: 500,
    code: 'internal',
    message: 'Something went wrong here, not in your request; the log has it under this request id.',
  };
}

function invalidRequest(error: {
  readonly validationContext?: string | undefined;
  readonly validation: readonly { readonly instancePath: string; readonly message?: string | undefined }[];
}): HttpError {
  const issues = error.validation.slice(0, 10).map((issue) => ({
    path: issue.instancePath.split('/').filter(Boolean).join('.'),
    message: issue.message ?? 'is not valid',
  }));
  const first = issues[0];
  const part = error.validationContext ?? 'request';
  const at = first === undefined || first.path === '' ? part : `${part}.${first.path}`;
  return {
    status: 400,
    code: 'invalid_request',
    message: `${at}: ${first?.message ?? 'is not valid'}`,
    details: { issues },
  };
}
