#!/usr/bin/env node
/**
 * The program: `serve` runs the agent, everything else is the command line. Arguments, environment and the exit code pass
 * through here.
 */
import { serve } from './agent-serve.ts'

async function main([verb]: readonly string[]): Promise<number> {
  if (verb === 'serve') return await serve(process.env)
  return 2
}

process.exitCode = await main(process.argv.slice(2))
