import { z } from 'zod';
import { idSchema } from '../ids/ids.js';
import { answerRecordSchema } from './answer.js';
import { batchRecordSchema } from './batch.js';
import { pilotRecordSchema } from './pilot.js';
import { serviceRecordSchema } from './service-record.js';
import { taskRecordSchema } from './task.js';
import { taskSetRecordSchema } from './task-set.js';

/** MIME type of a live view in a cell. */
export const VIEW_MIME = 'application/vnd.pilothouse.view+json';

/** The record of any kind, told apart by `kind`. */
export const anyRecordSchema = z.discriminatedUnion('kind', [
  pilotRecordSchema,
  taskRecordSchema,
  taskSetRecordSchema,
  serviceRecordSchema,
  answerRecordSchema,
  batchRecordSchema,
]);
export type AnyRecord = z.infer<typeof anyRecordSchema>;

export const recordKindSchema = z.enum(['pilot', 'task', 'set', 'service', 'answer', 'batch']);
export type RecordKind = z.infer<typeof recordKindSchema>;

/** What a view shows. */
export const targetSchema = z.object({ kind: recordKindSchema, id: z.string() });
export type Target = z.infer<typeof targetSchema>;

/** Payload of {@link VIEW_MIME}: enough to draw the last known state without a connection. */
export const viewSchema = z
  .object({
    v: z.literal(1),
    viewId: idSchema('view'),
    kind: recordKindSchema,
    target: z.string(),
    snapshot: anyRecordSchema,
  })
  .meta({ id: 'View' });
export type View = z.infer<typeof viewSchema>;

/** One cell output: the view, static HTML, and text; every update carries all three. */
export const viewBundleSchema = z
  .object({ [VIEW_MIME]: viewSchema, 'text/html': z.string(), 'text/plain': z.string() })
  .meta({ id: 'ViewBundle' });
export type ViewBundle = z.infer<typeof viewBundleSchema>;

/** What a participant of a view is told. */
export const viewUpdateSchema = z
  .object({
    /** How many renderers are attached; with one or more the kernel stops updating. */
    renderers: z.int(),
    /** Whether this participant is the one to write the final bundle. */
    writer: z.boolean(),
    /** Set for the writer once the target is final; repeated until it is confirmed. */
    final: viewBundleSchema.nullable(),
    /** The final bundle has been written and confirmed by somebody. */
    confirmed: z.boolean(),
  })
  .meta({ id: 'ViewUpdate' });
export type ViewUpdate = z.infer<typeof viewUpdateSchema>;
