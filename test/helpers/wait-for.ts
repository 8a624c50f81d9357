/** Waits for a condition with a deadline: what tests use where they would otherwise sleep. */

/**
 * Resolves with the first value of `condition` that is truthy.
 * @param what what is waited for, named in the error
 * @param within milliseconds of real time
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  within = 5000,
): Promise<Exclude<T, false | undefined | null | 0 | ''>> {
  const deadline = performance.now() + within
  let pause = 1
  for (;;) {
    const value = await condition()
    if (value) return value as Exclude<T, false | undefined | null | 0 | ''>
    if (performance.now() >= deadline) throw new Error(`waited ${within} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pause))
    pause = Math.min(pause * 2, 20)
  }
}
