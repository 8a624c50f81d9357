/**
 * Finds Chromium, which the page tests drive, and gets Debian's where this process may install packages.
 * Imports set-up only.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import path from 'node:path'
import { root } from './set-up.mjs'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const places = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']

export function findChromium() {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '')
  const candidates = [...folders.flatMap((folder) => names.map((name) => path.join(folder, name))), ...places]
  return candidates.find(isExecutable)
}

/** Never ends the run: the tests that need what is missing say so themselves. */
export function installTestTools() {
  if (findChromium() !== undefined) return
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    console.error('No Chromium was found; the tests of the pages need one: sudo scripts/install-test-tools.sh')
    return
  }
  console.error('Installing the tools that the longer tests need from Debian; this happens once.')
  const { status } = spawnSync('bash', [path.join(root, 'scripts/install-test-tools.sh')], { stdio: 'inherit' })
  if (status !== 0) console.error('They could not be installed; the tests that need them say so.')
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
