/**
 * Reads the results of a test run from TAP, the form of ava's output that is made for programs,
 * and shows them to people. Imports nothing.
 */

const result = /^(not )?ok \d+(?: - (.*?))?(?: # (SKIP|TODO)\b.*)?$/i

export class TapReader {
  #print
  #rest = ''
  #planned = false
  #totals = { passed: 0, failed: 0, skipped: 0 }

  /** @param print takes one line for people */
  constructor(print) {
    this.#print = print
  }

  take(text) {
    const lines = (this.#rest + text).split(/\r?\n/)
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#takeLine(line)
  }

  /** @param exitCode of the run: a run that failed without a failed test counts as one failure */
  finish(exitCode) {
    if (this.#rest !== '') this.#takeLine(this.#rest)
    this.#rest = ''
    const totals = { ...this.#totals }
    if (totals.failed === 0 && (exitCode !== 0 || !this.#planned)) {
      this.#print(`✘ the test run ended early or failed outside of the tests (exit code ${exitCode})`)
      totals.failed = 1
    }
    return totals
  }

  #takeLine(line) {
    const match = result.exec(line)
    if (match === null) return this.#takeOther(line)
    const [, not, title = '', directive] = match
    if (directive !== undefined) {
      this.#totals.skipped += 1
      this.#print(`- ${title} (${directive.toLowerCase()})`)
    } else if (not === undefined) {
      this.#totals.passed += 1
      this.#print(`✔ ${title}`)
    } else {
      this.#totals.failed += 1
      this.#print(`✘ ${title}`)
    }
  }

  #takeOther(line) {
    if (/^1\.\.\d+$/.test(line)) this.#planned = true
    else if (line !== '' && !/^(TAP version|# (tests|pass|skip|fail) )/.test(line)) this.#print(line)
  }
}

export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}
