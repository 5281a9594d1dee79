import { Clipboard, Dialog, Notification, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { AnyHandle } from '@pilothouse/sdk';
import { requestOptionsSchema, requestSchema, sentence } from '@pilothouse/sdk/internal';
import { createElement } from 'react';
import { z } from 'zod';
import { ExplanationBody } from '../components/explanation-body.js';
import { explained } from '../format/explanation.js';
import { type Subject, serviceSubject, snippet, subjectOf } from '../format/snippets.js';
import { stateWord } from '../format/state.js';
import { UNDO_MS } from '../session/hidden.js';
import { type ThingKind, thingsOf } from '../things.js';
import type { IPilothouse } from '../tokens.js';
import type { ActionContext, Args } from './context.js';

/** What a service is to be asked, in the arguments of a command. */
const askedSchema = z.object({ request: requestSchema, options: requestOptionsSchema });

export async function explain(context: ActionContext, args: Args): Promise<void> {
  const { pilothouse } = context;
  const { trans } = pilothouse;
  const target = await context.target(args);
  if (target === null) return;
  const handle = await open(pilothouse, target);
  try {
    const { text, evidence } = await explained(handle);
    const body = createElement(ExplanationBody, {
      text: sentence(text),
      evidence,
      since: handle.record.reason?.since ?? handle.record.since,
      trans,
    });
    await showDialog({
      title: trans.__('%1 is %2', handle.name, stateWord(handle.state)),
      body: ReactWidget.create(body),
      buttons: [Dialog.okButton({ label: trans.__('Close') })],
    });
  } finally {
    handle.close();
  }
}

function open({ session }: IPilothouse, { kind, id }: { kind: ThingKind; id: string }): Promise<AnyHandle> {
  switch (kind) {
    case 'pilot':
      return session.pilots.get(id);
    case 'service':
      return session.services.get(id);
    case 'task':
      return session.tasks.get(id);
    case 'set':
      return session.tasks.set(id);
    case 'batch':
      return session.batches.get(id);
  }
}

export async function insert(context: ActionContext, args: Args): Promise<void> {
  const { notebook, trans } = context.pilothouse;
  const example: Subject | null = args.kind === 'example' ? { kind: 'example' } : null;
  const subject = example ?? (await subjectFor(context, args));
  if (subject === null) return;
  const { language, kernelName } = notebook;
  if (language === null) {
    Notification.warning(
      kernelName === null
        ? trans.__('Open a notebook first; the code goes below its active cell.')
        : trans.__('There is no code for the kernel "%1". Use a Python, tslab or Deno notebook.', kernelName),
      { autoClose: 8000 },
    );
    return;
  }
  notebook.insert(snippet(subject, language));
}

async function subjectFor(context: ActionContext, args: Args): Promise<Subject | null> {
  const { session } = context.pilothouse;
  const target = await context.target(args);
  if (target === null) return null;
  const { kind, id } = target;
  if (kind === 'service') {
    const service = session.picture.services.find((one) => one.id === id);
    const asked = askedSchema.safeParse(args.ask);
    if (service !== undefined) return serviceSubject(service, asked.success ? asked.data : undefined);
  }
  const name = thingsOf(session.picture, kind).find((thing) => thing.id === id)?.name ?? id;
  return subjectOf(kind, { id, name });
}

export async function copyId(context: ActionContext, args: Args): Promise<void> {
  const target = await context.target(args);
  if (target === null) return;
  Clipboard.copyToSystem(target.id);
  Notification.success(context.pilothouse.trans.__('Copied %1', target.id), { autoClose: 2000 });
}

export async function hide(context: ActionContext, args: Args): Promise<void> {
  const { hidden, trans } = context.pilothouse;
  const target = await context.target(args);
  if (target === null) return;
  hidden.hide(target);
  Notification.info(trans.__('Taken off the list.'), {
    autoClose: UNDO_MS,
    actions: [{ label: trans.__('Undo'), callback: () => hidden.undo(target.id) }],
  });
}

export async function copyDiagnosis({ pilothouse }: ActionContext): Promise<void> {
  const { link, trans } = pilothouse;
  Clipboard.copyToSystem(await link.diagnosis());
  Notification.success(trans.__('The diagnosis is on the clipboard.'), { autoClose: 4000 });
}
