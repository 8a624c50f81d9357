#!/usr/bin/env node
/**
 * The program: `serve` runs the agent, everything else is the command line. Arguments, environment and the exit code pass
 * through here.
 */

async function main(args: readonly string[]): Promise<number> {
  // Loaded when it is known which is meant: a command must not wait for the agent's parts.
  if (args[0] === 'serve' && args.length === 1) {
    const { serve } = await import('./agent-serve.ts')
    return await serve(process.env)
  }
  const { runCommand } = await import('./cli/command.ts')
  const { openIo } = await import('./cli/io.ts')
  return await runCommand(args, openIo(process))
}

process.exitCode = await main(process.argv.slice(2))
