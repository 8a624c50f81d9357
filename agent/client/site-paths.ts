/**
 * Which addresses of a web site ask for what. Pure; imports nothing of ours.
 */

export interface SitePaths {
  /** Pages that administrators without a seat see, each with what is below it; the first is where they are led. */
  readonly administration: readonly string[]
  /** Where people without a sign-in are led; nothing is asked for it. */
  readonly signInPage: string
  /** Addresses that nothing is asked for, each with what is below it: style sheets, and where people sign out. */
  readonly open: readonly string[]
  /** Addresses of programs, each with what is below it: answered with a status and JSON instead of being led elsewhere. */
  readonly api: readonly string[]
}

export function sitePaths(given: { readonly [Name in keyof SitePaths]?: SitePaths[Name] | undefined }): SitePaths {
  return {
    administration: given.administration ?? ['/admin', '/contact', '/about'],
    signInPage: given.signInPage ?? '/sign-in',
    open: given.open ?? ['/public', '/sign-out'],
    api: given.api ?? ['/api'],
  }
}

/** Whether the path is one of these or below one, in any case: servers differ in whether they tell them apart. */
export function isBelow(path: string, places: readonly string[]): boolean {
  const asked = path.toLowerCase()
  return places.some((place) => {
    const own = place.toLowerCase().replace(/\/+$/, '')
    return asked === own || asked.startsWith(`${own}/`)
  })
}

/** Whether every server reads the path as it is written: nothing in it leads up, is written in hex, or is empty. */
export function isPlain(path: string): boolean {
  return path.startsWith('/') && !/%|\\|\/\/|\/\.{1,2}(?:\/|$)|\p{Cc}/u.test(path)
}
