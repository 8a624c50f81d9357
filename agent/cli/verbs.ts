/** All verbs of the command line, in the order of the help. Owns nothing. */
import { activateVerb, deactivateVerb } from './activate-license.ts'
import { addLicenseVerb } from './add-license.ts'
import { attachVerb, recipientVerb } from './attach.ts'
import { clientsVerb } from './clients.ts'
import { clockVerb, confirmClockVerb } from './clock.ts'
import { computersVerb } from './computers.ts'
import { getConfigVerb, setConfigVerb, unsetConfigVerb, validateConfigVerb } from './config.ts'
import { importConfigVerb } from './config-import.ts'
import { blockVerb, detachmentsVerb, detachVerb, lostVerb } from './detach.ts'
import { disconnectVerb } from './disconnect.ts'
import { documentsVerb } from './documents.ts'
import { extendVerb } from './extend.ts'
import { journalVerb, verifyJournalVerb } from './journal.ts'
import { licensesVerb, removeLicenseVerb, showLicenseVerb } from './licenses.ts'
import { approveManagerVerb, forgetManagerVerb, managersVerb } from './managers.ts'
import { passwordVerb } from './password.ts'
import { productModeVerb } from './product-mode.ts'
import { productsVerb } from './products.ts'
import { testProxyVerb } from './proxy.ts'
import { reserveVerbs } from './reserves.ts'
import { returnVerb } from './return.ts'
import { checkRulesVerb } from './rules.ts'
import { runVerb } from './run.ts'
import { searchVerb } from './search.ts'
import { servingVerbs } from './serving.ts'
import { sessionsVerb } from './sessions.ts'
import { siteVerbs } from './sites.ts'
import { statusVerb } from './status.ts'
import { testVerb } from './test.ts'
import type { Verb } from './verb.ts'
import { versionVerb } from './version.ts'
import { whyVerb } from './why.ts'

export const verbs: readonly Verb[] = [
  statusVerb,
  runVerb,
  productsVerb,
  productModeVerb,
  sessionsVerb,
  computersVerb,
  whyVerb,
  clientsVerb,
  checkRulesVerb,
  disconnectVerb,
  ...servingVerbs,
  licensesVerb,
  showLicenseVerb,
  addLicenseVerb,
  activateVerb,
  deactivateVerb,
  removeLicenseVerb,
  documentsVerb,
  detachVerb,
  detachmentsVerb,
  extendVerb,
  returnVerb,
  recipientVerb,
  attachVerb,
  blockVerb,
  lostVerb,
  managersVerb,
  approveManagerVerb,
  forgetManagerVerb,
  searchVerb,
  testVerb,
  ...reserveVerbs,
  ...siteVerbs,
  journalVerb,
  verifyJournalVerb,
  getConfigVerb,
  setConfigVerb,
  unsetConfigVerb,
  validateConfigVerb,
  importConfigVerb,
  testProxyVerb,
  clockVerb,
  confirmClockVerb,
  passwordVerb,
  versionVerb,
]

/** Verbs that are not about the running agent and have their arguments elsewhere. */
export const companions = [
  { name: 'serve', usage: 'leasehold serve', summary: 'Run the agent; settings are in docs/configuration.md' },
  {
    name: 'vendor',
    usage: 'leasehold vendor COMMAND …',
    summary: 'Sign licenses and answer requests, as a vendor; leasehold vendor --help says more',
  },
] as const

export type FoundVerb =
  | { readonly kind: 'verb'; readonly verb: Verb; readonly rest: readonly string[] }
  | { readonly kind: 'none' }

/** The verb that the first one or two words name. */
export function findVerb(words: readonly string[]): FoundVerb {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ')
    const verb = verbs.find((one) => one.name === name || one.alias === name)
    if (verb !== undefined && words.length >= length) return { kind: 'verb', verb, rest: words.slice(length) }
  }
  return { kind: 'none' }
}
