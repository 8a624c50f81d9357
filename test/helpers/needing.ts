/**
 * Tests that need something which a machine may lack (a browser, Python with its cryptography package, root): where it is
 * missing they count as skipped and say in one line how to get it; in CI, which installs all of it, they fail.
 */
import test, { type TestFn } from 'ava'

/** @param hint how to get it, in one line */
export function testNeeding(available: boolean, hint: string): TestFn | TestFn['skip'] {
  if (available) return test
  if (process.env.CI === undefined) {
    process.stderr.write(`skipped: ${hint}\n`)
    return test.skip
  }
  test(`CI has what its tests need: ${hint}`, (t) => t.fail(hint))
  return test.skip
}
