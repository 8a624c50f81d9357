/**
 * `npm test`: installs and builds what is missing, runs ava, and ends with the one line `N passed, N failed`.
 * `--full` adds test/full/, `--rest` runs only that. Other arguments go to ava. Imports set-up and tap only.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { prepare, root, runScript } from './set-up.mjs'
import { closingLine, TapReader } from './tap.mjs'
import { installTestTools } from './test-tools.mjs'

const longTests = 'build/test/full'

await runScript(async () => {
  const given = process.argv.slice(2)
  const rest = given.includes('--rest')
  const full = rest || given.includes('--full')
  prepare()
  installTestTools()
  const args = ['--tap', ...given.filter((argument) => argument !== '--full' && argument !== '--rest')]
  if (full) args.push('--config', path.join(root, 'scripts/ava-full.cjs'))
  if (rest) {
    if (!existsSync(path.join(root, longTests))) {
      console.log('There are no tests in test/full.')
      console.log(closingLine({ passed: 0, failed: 0, skipped: 0 }))
      return
    }
    args.push(`${longTests}/**`)
  }
  const totals = await runAva(args)
  process.exitCode = totals.failed === 0 ? 0 : 1
  console.log(`\n${closingLine(totals)}`)
})

async function runAva(args) {
  const ava = path.join(root, 'node_modules/ava/entrypoints/cli.mjs')
  const child = spawn(process.execPath, [ava, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  const reader = new TapReader((line) => console.log(line))
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text) => reader.take(text))
  const code = await new Promise((resolve) => {
    child.on('error', () => resolve(1))
    child.on('close', (status) => resolve(status ?? 1))
  })
  return reader.finish(code)
}
