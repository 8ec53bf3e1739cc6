import { hint, quote } from '../arguments.js';
import { packageVersion } from '../version.js';
import { type Command, exitCodes } from './command.js';
import { doctor } from './doctor.js';
import { exportCommand } from './export.js';
import { generate } from './generate.js';
import { importCommand } from './import.js';
import { info } from './info.js';
import { evaluate, predict } from './model_commands.js';
import { Options, UsageError } from './options.js';
import { serve } from './serve.js';
import { trainCommand } from './train.js';
import { transcribe } from './transcribe.js';
import { translate } from './translate.js';

const program = 'cudnn-gru';

/**
 * Runs one command line, `[node, script, ...words]`. Results go to stdout, everything else to stderr.
 * @returns the exit code: 0 done; 1 it failed, and stderr says why in one line; 2 the command line is wrong; 130 interrupted
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const { cac } = await import('cac');
  const cli = cac(program);
  const train = trainCommand(argv.slice(3));
  const commands: readonly Command[] = [
    train,
    evaluate,
    predict,
    generate,
    translate,
    transcribe,
    serve,
    info,
    importCommand,
    exportCommand,
    doctor,
  ];
  for (const command of commands) {
    const parsed = cli.command(command.usage, command.description);
    if (command.anyOptions) parsed.allowUnknownOptions();
    for (const [flags, description] of command.options) parsed.option(flags, description);
    for (const example of command.examples) parsed.example(`  $ ${program} ${example}`);
    parsed.action((...given: unknown[]) => {
      const values = given.at(-1) as Record<string, unknown>;
      return command.run(given.slice(0, -1).flat() as string[], new Options(values, argv.slice(2)));
    });
  }
  cli.example(`  $ ${program} ${train.examples[0]}`);
  cli.version(packageVersion(), '--version');
  cli.help((sections) => {
    const description = cli.matchedCommand?.description;
    if (description) sections.splice(1, 0, { body: `${description}.` });
  });
  try {
    cli.parse([...argv], { run: false });
    if (cli.options.help || cli.options.version) return exitCodes.success;
    if (!cli.matchedCommand) throw new UsageError(unknownCommand(cli.args[0], commands));
    return await cli.runMatchedCommand();
  } catch (error) {
    if (error instanceof UsageError || (error as Error)?.name === 'CACError') {
      const command = cli.matchedCommandName ? `${program} ${cli.matchedCommandName}` : program;
      await complain(`${(error as Error).message}; see ${command} --help`);
      return exitCodes.usage;
    }
    await complain(error instanceof Error ? error.message : String(error));
    return exitCodes.failure;
  }
}

function unknownCommand(name: string | undefined, commands: readonly Command[]): string {
  if (name === undefined) return 'no command is given';
  const names = commands.map(({ usage }) => usage.split(' ', 1)[0] as string);
  return `unknown command ${quote(name)}${hint(name, names)}`;
}

async function complain(reason: string): Promise<void> {
  const { default: colors } = await import('picocolors');
  // isTTY is undefined, not false, where the stream is a pipe or a file.
  const { red } = colors.createColors(process.stderr.isTTY === true && colors.isColorSupported);
  process.stderr.write(`${red('error:')} ${reason}\n`);
}
