import { z } from 'zod';
import { timeSchema } from './common.js';

/** Raised when the contract changes so that an older client could misread it. */
export const PROTOCOL = 1;

export const helloSchema = z
  .object({
    protocol: z.int(),
    version: z.string(),
    epoch: z.int(),
    host: z.string(),
    user: z.string(),
    home: z.string(),
    startedAt: timeSchema,
  })
  .meta({ id: 'Hello' });
export type Hello = z.infer<typeof helloSchema>;

export const checkSchema = z
  .object({
    id: z.string(),
    title: z.string(),
    result: z.enum(['ok', 'warning', 'failed']),
    evidence: z.string(),
    /** What to do; null when all is well. */
    remedy: z.string().nullable(),
  })
  .meta({ id: 'Check' });
/** One check of `pilothouse doctor`. */
export type Check = z.infer<typeof checkSchema>;

export const credentialReportSchema = z
  .object({ name: z.string(), createdAt: timeSchema, lastUsedAt: timeSchema.nullable() })
  .meta({ id: 'Credential' });
/** A stored credential, without its secret. */
export type CredentialReport = z.infer<typeof credentialReportSchema>;
