/** Which licenses seats may come from, by the rules for their user. Kept with a grant, so that it holds when seats move. Pure. */

export interface LicensePermit {
  /** From no others, or from none of these. */
  readonly kind: 'only' | 'except'
  readonly licenses: readonly string[]
}

/** Whether seats of a license may be used. */
export function permits(permit: LicensePermit | undefined, license: string): boolean {
  return permit === undefined || permit.licenses.includes(license) === (permit.kind === 'only')
}
