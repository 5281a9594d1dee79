import { type Command, EXIT } from '../command.js';
import { withSession } from '../session.js';
import { ago, table } from '../table.js';

/** Stored secrets. They are read from a hidden prompt or from stdin, never from the command line, where others see them. */
export const credentials: Command = {
  name: 'credentials',
  usage: 'credentials [list] | credentials add <name> | credentials remove <name>',
  summary: 'Stored secrets; add reads the secret hidden, or from stdin',
  words: [0, 2],
  async run(context, { positionals: [verb = 'list', name] }) {
    if (verb === 'list' && name === undefined) {
      const reports = await withSession((session) => session.credentials.list());
      context.result(reports, () =>
        reports.length === 0
          ? 'No credentials are stored.'
          : table(
              ['NAME', 'STORED', 'LAST USED'],
              reports.map((report) => [
                report.name,
                `${ago(report.createdAt)} ago`,
                report.lastUsedAt === null ? 'never' : `${ago(report.lastUsedAt)} ago`,
              ]),
            ),
      );
      return EXIT.ok;
    }
    if (name !== undefined && verb === 'add') {
      const secret = await context.readSecret(`Secret for ${name}: `);
      if (secret === '') {
        context.note('The secret is empty; nothing was stored.');
        return EXIT.failed;
      }
      const report = await withSession((session) => session.credentials.put(name, secret));
      context.result(report, () => `${report.name} is stored.`);
      return EXIT.ok;
    }
    if (name !== undefined && verb === 'remove') {
      await withSession((session) => session.credentials.remove(name));
      context.result({ removed: name }, () => `${name} is removed.`);
      return EXIT.ok;
    }
    context.note(`Write: pilothouse ${this.usage}`);
    return EXIT.usage;
  },
};
