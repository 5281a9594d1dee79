import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { idSchema, nameSchema } from '../ids/ids.js';
import { timeSchema } from '../schemas/common.js';
import {
  answerRecordSchema,
  attachDescriptionSchema,
  batchDescriptionSchema,
  batchRecordSchema,
  batchRowSchema,
  checkSchema,
  chunkBatchSchema,
  credentialReportSchema,
  detectionSchema,
  engineReportSchema,
  fileChunkSchema,
  helloSchema,
  instancesSchema,
  keySchema,
  logChunkSchema,
  originSchema,
  pilotDescriptionSchema,
  pilotRecordSchema,
  recordKindSchema,
  requestOptionsSchema,
  requestSchema,
  serviceDescriptionSchema,
  serviceRecordSchema,
  serviceStatisticsSchema,
  targetSchema,
  taskDescriptionSchema,
  taskEntrySchema,
  taskFileSchema,
  taskOutcomeSchema,
  taskRecordSchema,
  taskRowsSchema,
  taskSetDescriptionSchema,
  taskSetRecordSchema,
  templateReportSchema,
  timelineSchema,
  viewBundleSchema,
  viewUpdateSchema,
} from '../schemas/index.js';
import { requestStateSchema } from '../states/index.js';
import { durationSchema } from '../units/duration.js';

/**
 * Flow control of one stream over WebSocket: the client names the stream with `sub` and allows `credits` batches;
 * `grant` allows more. Over HTTP (SSE) both stay out and the socket's own flow control counts.
 */
export const flowSchema = z.object({
  sub: idSchema('sub').optional(),
  credits: z.int().min(1).max(1024).optional(),
});

/** A batch of the picture: everything that changed after `after`, or the whole picture when `reset` is true. */
export const watchBatchSchema = z
  .object({
    epoch: z.int(),
    /** Pass it as `after` to go on from here. */
    seq: z.int(),
    /** Forget what you have: with this batch the whole picture (of the kinds asked for) begins. */
    reset: z.boolean(),
    /** What there was when the stream was opened goes on in the next batch; absent: now it is there whole. */
    more: z.boolean().optional(),
    pilots: z.array(pilotRecordSchema),
    /** Those that belong to no set, unless `ids` names them. */
    tasks: z.array(taskRecordSchema),
    sets: z.array(taskSetRecordSchema),
    services: z.array(serviceRecordSchema),
    /** Without their text. */
    answers: z.array(answerRecordSchema),
    batches: z.array(batchRecordSchema),
    /** Ids of what has been removed from the lists. */
    removed: z.array(z.string()),
  })
  .meta({ id: 'WatchBatch' });
export type WatchBatch = z.infer<typeof watchBatchSchema>;

/** An id or a name (or, for the command line, a unique prefix of an id). */
const ref = z.strictObject({ ref: z.string().min(1) });
const submitted = { origin: originSchema, key: keySchema };
const logInput = z.strictObject({
  ref: z.string().min(1),
  stream: z.enum(['stdout', 'stderr']),
  /** Byte offset to read from; negative counts from the end. */
  offset: z.int().default(0),
  limit: z
    .int()
    .min(1)
    .max(1024 * 1024)
    .default(64 * 1024),
});
const listInput = z.strictObject({ all: z.boolean().default(false) }).prefault({});
const explanation = z.object({ text: z.string(), evidence: z.array(z.string()) });
const nothing = z.object({});

/** Tasks to add to a set. */
export const additionSchema = z.strictObject({
  set: z.string(),
  from: z.int().min(0),
  tasks: z.array(taskEntrySchema).max(10_000),
  close: z.boolean().default(false),
});

/** Every call there is between a client (SDK, panels, Python, CLI) and the bridge. */
export const contract = {
  system: {
    /** First call on every connection; VERSION_MISMATCH when the protocols differ. */
    hello: oc.input(z.object({ protocol: z.int(), version: z.string(), client: z.string() })).output(helloSchema),
    /** Every check of `pilothouse doctor`. */
    doctor: oc.input(nothing.prefault({})).output(z.object({ checks: z.array(checkSchema) })),
    /** Ends the bridge, nothing else: pilots go on. */
    stop: oc.input(nothing.prefault({})).output(nothing),
    /** The picture, live. */
    watch: oc
      .input(
        flowSchema.extend({
          kinds: z.array(recordKindSchema).min(1).default(['pilot', 'task', 'set', 'service', 'answer', 'batch']),
          /** Only these ids. */
          ids: z.array(z.string()).optional(),
          /** Go on after this point, if the epoch is still the same. */
          after: z.object({ epoch: z.int(), seq: z.int() }).optional(),
        }),
      )
      .output(eventIterator(watchBatchSchema)),
    /** Allows more batches on a stream of this connection. */
    grant: oc.input(z.strictObject({ sub: idSchema('sub'), credits: z.int().min(1).max(1024) })).output(nothing),
    /** Removes what is older or larger than the limits of retention; `dryRun` only tells. */
    clean: oc.input(z.strictObject({ dryRun: z.boolean().default(false) }).prefault({})).output(
      z.object({
        removed: z.array(z.object({ path: z.string(), why: z.string(), files: z.int(), bytes: z.number() })),
        kept: z.object({ files: z.int(), bytes: z.number() }),
      }),
    ),
    /** Takes a final thing off the lists. */
    forget: oc.input(targetSchema).output(nothing),
  },
  engines: {
    list: oc.input(nothing.prefault({})).output(z.array(engineReportSchema)),
  },
  pilots: {
    submit: oc.input(z.strictObject({ description: pilotDescriptionSchema, ...submitted })).output(pilotRecordSchema),
    /** The live one of that name, else a new one; DESCRIPTION_CHANGED when the live one was described differently. */
    ensure: oc
      .input(z.strictObject({ name: nameSchema, description: pilotDescriptionSchema, ...submitted }))
      .output(pilotRecordSchema),
    get: oc.input(ref).output(pilotRecordSchema),
    list: oc.input(listInput).output(z.array(pilotRecordSchema)),
    /** What would be run to start it, and the sentence that says what is asked for. */
    preview: oc
      .input(z.strictObject({ description: pilotDescriptionSchema }))
      .output(z.object({ sentence: z.string(), script: z.string() })),
    explain: oc.input(ref).output(explanation),
    /** Ends the pilot with everything on it. */
    end: oc.input(ref).output(pilotRecordSchema),
    /** Takes nothing new; ends when what is on it has ended. */
    drain: oc.input(ref).output(pilotRecordSchema),
    /** Starts nothing new until `resume`; what runs goes on. */
    suspend: oc.input(ref).output(pilotRecordSchema),
    resume: oc.input(ref).output(pilotRecordSchema),
    /** Its idle time starts anew. */
    keep: oc.input(ref).output(pilotRecordSchema),
    /** More time, where the engine can give it; ENGINE_UNAVAILABLE with the way round where it cannot. */
    extend: oc.input(ref.extend({ by: durationSchema })).output(pilotRecordSchema),
    /** Who held which cores and GPUs. */
    timeline: oc
      .input(ref.extend({ since: timeSchema.optional(), limit: z.int().min(1).max(20_000).default(5000) }))
      .output(timelineSchema),
  },
  tasks: {
    /** Durable when it returns. One call, one key per task: repeating it changes nothing. */
    submit: oc
      .input(
        z.strictObject({
          tasks: z
            .array(z.strictObject({ description: taskDescriptionSchema, key: keySchema }))
            .min(1)
            .max(1000),
          origin: originSchema,
        }),
      )
      .output(z.array(taskRecordSchema)),
    get: oc.input(ref).output(taskRecordSchema),
    list: oc.input(listInput).output(z.array(taskRecordSchema)),
    explain: oc.input(ref).output(explanation),
    log: oc.input(logInput).output(logChunkSchema),
    cancel: oc.input(ref).output(taskRecordSchema),
    /** Several at once; those that have ended are left as they are. */
    cancelMany: oc
      .input(z.strictObject({ ids: z.array(z.string()).min(1).max(10_000) }))
      .output(z.object({ canceled: z.int() })),
    /** The same again, as a new task with `retryOf`. */
    retry: oc.input(ref.extend(submitted)).output(taskRecordSchema),
    /** Files in its working directory (its own folder, or what its stageOut names), at most 1,000. */
    files: oc.input(ref).output(z.array(taskFileSchema)),
    /** A piece of one of them; FILE_TOO_LARGE beyond the limit of the site, with the path to copy it from. */
    output: oc
      .input(
        ref.extend({
          path: z.string().min(1),
          offset: z.number().min(0).default(0),
          limit: z
            .int()
            .min(1)
            .max(2 * 1024 * 1024)
            .default(1024 * 1024),
        }),
      )
      .output(fileChunkSchema),
    /** All tasks (or those of one set) as compact rows, live: for tables of 100,000. Conflated, at most 10 batches a second. */
    rows: oc
      .input(flowSchema.extend({ set: z.string().optional(), pilot: z.string().optional() }))
      .output(eventIterator(taskRowsSchema)),
  },
  sets: {
    /** Opens a set; tasks are added to it, then it is closed. One key: repeating it gives the same set. */
    open: oc.input(z.strictObject({ description: taskSetDescriptionSchema, ...submitted })).output(taskSetRecordSchema),
    /**
     * Adds tasks; durable when it returns. `from` is the number of the first: what is already there is not added twice.
     * With `close` no more will come.
     */
    add: oc.input(additionSchema).output(z.object({ total: z.int() })),
    get: oc.input(ref).output(taskSetRecordSchema),
    list: oc.input(listInput).output(z.array(taskSetRecordSchema)),
    /** Every outcome from number `from` in order of completion, none lost or doubled; ends after the last of a closed set. */
    results: oc
      .input(flowSchema.extend({ set: z.string(), from: z.int().min(0).default(0) }))
      .output(eventIterator(z.object({ outcomes: z.array(taskOutcomeSchema), next: z.int(), complete: z.boolean() }))),
    explain: oc.input(ref).output(explanation),
    /** Cancels what has not ended. */
    cancel: oc.input(ref).output(taskSetRecordSchema),
    /** Its failed (and with `canceled`, canceled) tasks again, as a new set with `retryOf`. */
    retryFailed: oc
      .input(ref.extend({ canceled: z.boolean().default(false), ...submitted }))
      .output(taskSetRecordSchema),
  },
  services: {
    templates: oc.input(nothing.prefault({})).output(z.array(templateReportSchema)),
    start: oc
      .input(z.strictObject({ description: serviceDescriptionSchema, ...submitted }))
      .output(serviceRecordSchema),
    /** The live one of that name, else a new one; the name is also the template where none is given. */
    ensure: oc
      .input(z.strictObject({ name: nameSchema, description: serviceDescriptionSchema, ...submitted }))
      .output(serviceRecordSchema),
    /** Checks the server, then keeps it as a service; stopping it only detaches. */
    attach: oc
      .input(z.strictObject({ description: attachDescriptionSchema, ...submitted }))
      .output(serviceRecordSchema),
    get: oc.input(ref).output(serviceRecordSchema),
    list: oc.input(listInput).output(z.array(serviceRecordSchema)),
    explain: oc.input(ref).output(explanation),
    /** Output of one instance (number from 1). */
    log: oc.input(logInput.extend({ instance: z.int().min(1).default(1) })).output(logChunkSchema),
    /** Looks at an address: which API answers there, with which models. Keeps nothing. */
    detect: oc.input(z.strictObject({ description: attachDescriptionSchema })).output(detectionSchema),
    /** What would be run, and what a look beforehand has found: weights, memory of the GPUs, context. */
    preview: oc.input(z.strictObject({ description: serviceDescriptionSchema })).output(
      z.object({
        sentence: z.string(),
        command: z.array(z.string()),
        findings: z.array(z.object({ ok: z.boolean(), text: z.string(), remedy: z.string().nullable() })),
      }),
    ),
    /** Probes every instance now. */
    probe: oc.input(ref).output(serviceRecordSchema),
    /** Another number of instances, fixed or between limits. Those too many are drained first. */
    scale: oc.input(ref.extend({ instances: instancesSchema })).output(serviceRecordSchema),
    /** The instance (default: all) takes nothing new and stops when what it has is answered. */
    drain: oc.input(ref.extend({ instance: z.int().min(1).optional() })).output(serviceRecordSchema),
    /** Starts the instance (default: one after the other) anew. */
    restart: oc.input(ref.extend({ instance: z.int().min(1).optional() })).output(serviceRecordSchema),
    /** Requests over the last time: `step` seconds a bucket. */
    statistics: oc
      .input(ref.extend({ step: z.number().min(1).max(3600).default(2), buckets: z.int().min(1).max(600).default(60) }))
      .output(serviceStatisticsSchema),
    stop: oc.input(ref).output(serviceRecordSchema),
  },
  batches: {
    /** Rows for a batch that is started with `input: {upload}`; durable when it returns. What is there is not added twice. */
    upload: oc
      .input(
        z.strictObject({ upload: idSchema('batch'), from: z.int().min(0), rows: z.array(z.unknown()).max(10_000) }),
      )
      .output(z.object({ total: z.int() })),
    /** Durable when it returns. The same output file again does only what is missing there. */
    start: oc.input(z.strictObject({ description: batchDescriptionSchema, ...submitted })).output(batchRecordSchema),
    get: oc.input(ref).output(batchRecordSchema),
    list: oc.input(listInput).output(z.array(batchRecordSchema)),
    explain: oc.input(ref).output(explanation),
    /** What has come out, in the order in which it did: rows from number `from` on. */
    rows: oc
      .input(ref.extend({ from: z.int().min(0).default(0), limit: z.int().min(1).max(5000).default(500) }))
      .output(z.object({ rows: z.array(batchRowSchema), next: z.int(), complete: z.boolean() })),
    cancel: oc.input(ref).output(batchRecordSchema),
  },
  credentials: {
    list: oc.input(nothing.prefault({})).output(z.array(credentialReportSchema)),
    /** Stores or replaces a secret (file, 0600). The secret never comes back out. */
    put: oc
      .input(z.strictObject({ name: nameSchema, secret: z.string().min(1).max(16384) }))
      .output(credentialReportSchema),
    remove: oc.input(z.strictObject({ name: nameSchema })).output(nothing),
  },
  answers: {
    /** Asks a service; the answer is kept for replay and goes on without its caller. */
    ask: oc
      .input(
        z.strictObject({
          service: z.string().min(1),
          request: requestSchema,
          options: requestOptionsSchema.prefault({}),
          ...submitted,
        }),
      )
      .output(answerRecordSchema),
    /** Kept requests whose question or answer holds a text, newest first; without text: all. */
    search: oc
      .input(
        z.strictObject({
          text: z.string().max(1000).default(''),
          service: z.string().optional(),
          states: z.array(requestStateSchema).optional(),
          /** Go on after this many. */
          skip: z.int().min(0).default(0),
          limit: z.int().min(1).max(200).default(50),
        }),
      )
      .output(z.object({ answers: z.array(answerRecordSchema), total: z.int() })),
    get: oc.input(ref).output(answerRecordSchema),
    list: oc.input(listInput).output(z.array(answerRecordSchema)),
    /** Every chunk from number `from` on, none lost or doubled; ends after the batch that carries the final record. */
    follow: oc
      .input(flowSchema.extend({ id: z.string(), from: z.int().min(0).default(0) }))
      .output(eventIterator(chunkBatchSchema)),
    /** Stops it at the server too. */
    stop: oc.input(ref).output(answerRecordSchema),
    /** Asks the same again, as a new answer with `retryOf`. */
    retry: oc.input(ref.extend(submitted)).output(answerRecordSchema),
  },
  views: {
    /** Static HTML and text of a thing as it stands now. */
    render: oc.input(z.strictObject({ viewId: idSchema('view'), target: targetSchema })).output(viewBundleSchema),
    /** Takes part in a view, as long as the stream is open. */
    join: oc
      .input(
        flowSchema.extend({ viewId: idSchema('view'), target: targetSchema, role: z.enum(['renderer', 'kernel']) }),
      )
      .output(eventIterator(viewUpdateSchema)),
    /** The final bundle is in the notebook. */
    confirm: oc.input(z.strictObject({ viewId: idSchema('view') })).output(nothing),
  },
};

export type Contract = typeof contract;
