/** The command line as a process of its own, for the tests of signals, pids and exit codes. */
import { runCommand } from '../../agent/cli/command.ts'
import { openIo } from '../../agent/cli/io.ts'

process.exitCode = await runCommand(process.argv.slice(2), openIo(process))
