import { PilothouseError } from '@pilothouse/sdk/internal';
import type { Service } from '@pilothouse/sdk/node';
import { type Arguments, type CliContext, type Command, EXIT } from '../command.js';
import { serviceTable } from '../rows.js';
import { apiOf, instanceOf, instancesOf, Misuse, serviceInput } from '../services/input.js';
import { readRegistry } from '../services/registry.js';
import { detectionText, registryTable, servicePage, templatePage, templateTable } from '../services/show.js';
import { withSession } from '../session.js';

type Verb = (context: CliContext, args: Arguments) => Promise<number>;

/** Model services: listed, started, attached, scaled, emptied, started anew, stopped. */
export const services: Command = {
  name: 'services',
  usage:
    'services [list] [--all | --file] | services show|restart|drain|stop <service> [--instance N] | ' +
    'services scale <service> <N or MIN-MAX> | services start <template or name> [--param name=value …] [--instances N] ' +
    '[--name NAME] [--preview] [--wait] [-- command …] | services attach|detect <url> [--credential NAME] | ' +
    'services templates [name]',
  summary:
    'Model services: list, start, attach, scale, drain, restart, stop; "templates" lists what can be started by name',
  options: {
    all: { type: 'boolean', short: 'a' },
    file: { type: 'boolean' },
    instance: { type: 'string', short: 'i' },
    instances: { type: 'string', short: 'n' },
    name: { type: 'string' },
    param: { type: 'string', multiple: true },
    cores: { type: 'string' },
    gpus: { type: 'string' },
    memory: { type: 'string' },
    pilot: { type: 'string' },
    venv: { type: 'string' },
    conda: { type: 'string' },
    api: { type: 'string' },
    credential: { type: 'string' },
    model: { type: 'string' },
    open: { type: 'boolean' },
    preview: { type: 'boolean' },
    wait: { type: 'boolean', short: 'w' },
  },
  words: [0, 200],
  async run(context, args) {
    const [verb = 'list', ...rest] = args.positionals;
    const run = VERBS[verb];
    try {
      if (run === undefined) throw new Misuse(`There is no "services ${verb}".`);
      return await run(context, { ...args, positionals: rest });
    } catch (error) {
      if (!(error instanceof Misuse)) throw error;
      context.note(`${error.message}\nWrite: pilothouse ${this.usage}`);
      return EXIT.usage;
    }
  },
};

const list: Verb = async ({ config, result, note }, { positionals, values }) => {
  if (positionals.length > 0) throw new Misuse('"list" takes no name.');
  if (values.file === true) {
    const { file, stale } = await readRegistry(config.home);
    if (stale !== null) note(stale);
    result({ ...file, stale }, () => registryTable(file));
    return EXIT.ok;
  }
  const handles = await withSession((session) => session.services.list({ all: values.all === true }));
  const records = handles.map(({ record }) => record);
  result(records, () => serviceTable(records));
  return EXIT.ok;
};

const templates: Verb = async ({ result }, { positionals: [name] }) => {
  const all = await withSession((session) => session.services.templates());
  if (name === undefined) {
    result(all, () => templateTable(all));
    return EXIT.ok;
  }
  const found = all.find((template) => template.name === name);
  if (found === undefined) {
    throw new PilothouseError('SERVICE_NOT_FOUND', `there is no template "${name}"`, {
      hint: `Name one of ${all.map((template) => template.name).join(', ')}.`,
    });
  }
  result(found, () => templatePage(found));
  return EXIT.ok;
};

const start: Verb = async ({ result, note }, { positionals: [what, ...command], values }) => {
  if (what === undefined) throw new Misuse('Name a template, or a name with a command after "--".');
  const name = typeof values.name === 'string' ? values.name : what;
  const input = serviceInput(command.length > 0 ? undefined : what, command, values);
  return withSession(async (session) => {
    if (values.preview === true) {
      const preview = await session.services.preview(what, input);
      result(preview, () =>
        [
          preview.sentence,
          `Runs: ${preview.command.join(' ')}`,
          ...preview.findings.map(
            ({ ok, text, remedy }) => `${ok ? '●' : '✕'} ${text}${remedy === null ? '' : `\n  ${remedy}`}`,
          ),
        ].join('\n'),
      );
      return preview.findings.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
    }
    const service = await session.services.ensure(name, input);
    if (values.wait === true) {
      note(`Waiting for ${service.name} to be ready …`);
      await service.ready({ timeout: '1h' });
    }
    result(service.record, () => servicePage(service.record));
    return EXIT.ok;
  });
};

const attach: Verb = async ({ result }, { positionals, values }) => {
  const description = attachInput(positionals, values);
  return withSession(async (session) => {
    const service = await session.services.attach(description);
    result(service.record, () => servicePage(service.record));
    return EXIT.ok;
  });
};

const detect: Verb = async ({ result }, { positionals, values }) => {
  const description = attachInput(positionals, values);
  const found = await withSession((session) => session.services.detect(description));
  result(found, () => detectionText(found));
  return found.remedy === null ? EXIT.ok : EXIT.failed;
};

function attachInput([url, ...more]: readonly string[], { name, credential, model, api, open }: Arguments['values']) {
  if (url === undefined || more.length > 0) throw new Misuse('Give one URL.');
  return {
    url,
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof credential === 'string' ? { credential } : {}),
    ...(typeof model === 'string' ? { model } : {}),
    ...(typeof api === 'string' ? { api: apiOf(api) } : {}),
    ...(open === true ? { allowUnauthenticated: true } : {}),
  };
}

/** A verb for one service. */
function one(step: (service: Service, args: Arguments) => Promise<string | null>, most = 1): Verb {
  return ({ result }, args) => {
    const [ref, ...more] = args.positionals;
    if (ref === undefined || more.length > most - 1) throw new Misuse('Name one service.');
    return withSession(async (session) => {
      const service = await session.services.get(ref);
      const done = await step(service, args);
      result(service.record, () => done ?? servicePage(service.record));
      return EXIT.ok;
    });
  };
}

const VERBS: Readonly<Record<string, Verb>> = {
  list,
  templates,
  start,
  attach,
  detect,
  show: one(() => Promise.resolve(null)),
  scale: one(async (service, { positionals: [, number] }) => {
    if (number === undefined) throw new Misuse('Say how many instances: 2, or 1-4.');
    await service.scale(instancesOf(number));
    return `${service.name} is asked for ${number} instances.`;
  }, 2),
  drain: one(async (service, { values }) => {
    const instance = instanceOf(values.instance);
    await service.drain({ instance });
    const what = instance === undefined ? service.name : `instance ${instance} of ${service.name}`;
    return `${what} takes nothing new, and stops when what it has is answered.`;
  }),
  restart: one(async (service, { values }) => {
    const instance = instanceOf(values.instance);
    await service.restart({ instance });
    const what =
      instance === undefined ? `The instances of ${service.name}` : `Instance ${instance} of ${service.name}`;
    return instance === undefined ? `${what} are started anew, one after the other.` : `${what} is started anew.`;
  }),
  stop: one(async (service) => {
    await service.stop();
    return `${service.name} is being stopped.`;
  }),
};
