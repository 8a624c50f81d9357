/**
 * What a `hasplm.ini` says, in settings of ours: what is taken, and what has no counterpart and why. Decides nothing about the
 * running agent. Imports the file's entries and the table of settings only.
 */
import { z } from 'zod'
import { type FileEntry, readEntries } from './hasplm-file.ts'
import type { SettingValueKind } from './kinds.ts'
import type { SettingName, SettingValues } from './settings.ts'

/** Why something is not taken. The sentences are English; the pages have their own. */
export const leftOutReasons = {
  not_known: 'This entry is not known here.',
  value_unknown: 'The value is none that is known for this entry.',
  value_refused: 'The setting here does not take the value.',
  fixed: 'The setting is fixed by the environment here.',
  password: 'Passwords can not be moved: set a new one under Basic Settings.',
  one_log:
    'There is one switch here, for all requests; the log goes to standard output, where the system keeps and cuts it.',
  search_repeats: 'The search repeats every 30 seconds here; there is nothing to set.',
  all_adapters: 'All adapters are listened on once access from other machines is on.',
  local_only: 'The old manager listened on this machine only, so nothing from outside was let in.',
  proxy_automatic: 'A proxy is not found automatically here: enter its address under Network.',
  proxy_off: 'The proxy was switched off.',
  hardware_keys: 'It is about hardware keys and files of the old system, which do not exist here.',
  updates: 'Nothing is fetched from the network here: languages come with the program.',
  activation_server: 'Licenses name the activation address of their vendor themselves.',
  vendor_ids:
    'It names vendors, keys or products by numbers that mean nothing here. Write the rule anew with product:.',
  rule_unreadable: 'This is no allow= or deny= rule.',
} as const
export type LeftOutReason = keyof typeof leftOutReasons

export interface Taken {
  readonly line: number
  readonly written: string
  readonly setting: SettingName
}
export interface LeftOut {
  readonly line: number
  readonly written: string
  readonly reason: LeftOutReason
  /** What exactly, where the reason alone does not say it. */
  readonly detail?: string
}
export interface HasplmReading {
  readonly values: Partial<SettingValues>
  /** Lines that went into the values; several may have gone into one. */
  readonly taken: readonly Taken[]
  readonly leftOut: readonly LeftOut[]
}

/** A switch is 0 or another number: there are files with 30 in them, and the old manager took that for on. */
const flag = z
  .string()
  .regex(/^\d{1,6}$/)
  .transform((text) => Number(text) !== 0)
const whole = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)
const words = z.string().trim().min(1).max(255)
const access = z.enum(['0', '1']).transform((text): 'none' | 'rules' => (text === '0' ? 'none' : 'rules'))
const protection = z
  .enum(['0', '1'])
  .transform((text): 'configuration' | 'all' => (text === '0' ? 'configuration' : 'all'))

interface Counterpart {
  readonly setting: SettingName
  readonly schema: z.ZodType<SettingValueKind>
}

const counterparts: Readonly<Record<string, Counterpart>> = {
  'server.name': { setting: 'agent.name', schema: words },
  'server.idle_session_timeout_mins': { setting: 'session.idleMinutes', schema: whole },
  'server.idle_timeout_mins': { setting: 'session.idleMinutes', schema: whole },
  'server.pagerefresh': { setting: 'ui.refreshSeconds', schema: whole },
  'server.linesperpage': { setting: 'ui.rowsPerPage', schema: whole },
  'server.passacc': { setting: 'ui.protection', schema: protection },
  'server.requestlog': { setting: 'log.requests', schema: flag },
  'server.accessfromremote': { setting: 'serving.access', schema: access },
  'server.accesstoremote': { setting: 'remote.allow', schema: flag },
  'server.enabledetach': { setting: 'detach.enabled', schema: flag },
  'server.reservedseats': { setting: 'detach.reservedSeats', schema: whole },
  'server.reservedpercent': { setting: 'detach.reservedPercent', schema: whole },
  'server.detachmaxdays': { setting: 'detach.maxDays', schema: whole },
  'remote.broadcastsearch': { setting: 'remote.broadcast', schema: flag },
  'remote.aggressive': { setting: 'remote.aggressive', schema: flag },
}

/** Entries, or all of a section, that there is nothing for. */
const without: Readonly<Record<string, LeftOutReason>> = {
  'server.password': 'password',
  'server.adminpassword': 'password',
  'server.loglocal': 'one_log',
  'server.logremote': 'one_log',
  'server.logadmin': 'one_log',
  'server.errorlog': 'one_log',
  'server.rotatelogs': 'one_log',
  'server.access_log_maxsize': 'one_log',
  'server.error_log_maxsize': 'one_log',
  'server.zip_logs_days': 'one_log',
  'server.delete_logs_days': 'one_log',
  'server.pidfile': 'one_log',
  'server.enablehaspc2v': 'hardware_keys',
  'server.old_files_delete_days': 'hardware_keys',
  'server.commuter_delete_days': 'hardware_keys',
  'server.disable_um': 'hardware_keys',
  'remote.serversearchinterval': 'search_repeats',
  logparameters: 'one_log',
  update: 'updates',
  ems: 'activation_server',
  vendors: 'vendor_ids',
}

export function readHasplm(text: string): HasplmReading {
  const entries = readEntries(text)
  const reader = new Reader()
  for (const entry of entries) reader.read(entry)
  reader.finish()
  return { values: reader.values, taken: reader.taken, leftOut: reader.leftOut }
}

type Lists = 'remote.search' | 'serving.rules' | 'users.rules'

/** One reading: entries come in one after another; some can only be judged once all are known. */
class Reader {
  readonly values: { -readonly [Name in SettingName]?: SettingValues[Name] } = {}
  taken: Taken[] = []
  readonly leftOut: LeftOut[] = []
  readonly #proxy = new Map<string, FileEntry>()
  #localOnly = false

  read(entry: FileEntry): void {
    const { section, key, value } = entry
    const name = `${section}.${key}`
    const counterpart = Object.hasOwn(counterparts, name) ? counterparts[name] : undefined
    if (counterpart !== undefined) this.#take(entry, counterpart)
    else if (name === 'server.accremote' || name === 'server.adminremote') this.#takeRemote(entry)
    else if (name === 'server.bind_local_only') this.#takeVisibility(entry)
    else if (name === 'remote.serveraddr') this.#append('remote.search', entry, value.trim())
    else if (section === 'access' || section === 'users') this.#takeRule(entry)
    else if (/^server\.proxy(connect|host|port)$/.test(name)) this.#proxy.set(key, entry)
    else this.#leave(entry, findWithout(name, section))
  }

  finish(): void {
    this.#takeProxy()
    if (!this.#localOnly) return
    // what let others in had no effect
    const closed: Partial<SettingValues> = { 'serving.access': 'none', 'ui.remote': false }
    for (const [name, value] of Object.entries(closed)) {
      const setting = name as 'serving.access' | 'ui.remote'
      if (this.values[setting] === undefined || this.values[setting] === value) continue
      for (const one of this.taken.filter((taken) => taken.setting === setting))
        this.leftOut.push({ line: one.line, written: one.written, reason: 'local_only' })
      this.taken = this.taken.filter((taken) => taken.setting !== setting)
      delete this.values[setting]
    }
  }

  #set(entry: FileEntry, setting: SettingName, value: SettingValueKind): void {
    Object.assign(this.values, { [setting]: value })
    this.taken.push({ line: entry.line, written: entry.written, setting })
  }

  #leave({ line, written }: FileEntry, reason: LeftOutReason): void {
    this.leftOut.push({ line, written, reason })
  }

  #take(entry: FileEntry, { setting, schema }: Counterpart): void {
    const read = schema.safeParse(entry.value.trim())
    if (read.success) this.#set(entry, setting, read.data)
    else this.#leave(entry, 'value_unknown')
  }

  /** Pages and interface have one switch here: on when one of the two was. */
  #takeRemote(entry: FileEntry): void {
    const read = flag.safeParse(entry.value.trim())
    if (read.success) this.#set(entry, 'ui.remote', read.data || this.values['ui.remote'] === true)
    else this.#leave(entry, 'value_unknown')
  }

  #takeVisibility(entry: FileEntry): void {
    const read = flag.safeParse(entry.value.trim())
    if (read.success) this.#localOnly = read.data
    this.#leave(entry, !read.success ? 'value_unknown' : read.data ? 'local_only' : 'all_adapters')
  }

  #append(setting: Lists, entry: FileEntry, item: string): void {
    if (item === '' || item.length > 255) this.#leave(entry, 'value_unknown')
    else this.#set(entry, setting, [...(this.values[setting] ?? []), item])
  }

  #takeRule(entry: FileEntry): void {
    const { section, key, value } = entry
    const subject = value.trim()
    const written = subject.replaceAll(/\s+/g, '').replaceAll(/(?<![^@])all(?![^@])/gi, 'all')
    if ((key !== 'allow' && key !== 'deny') || subject === '') this.#leave(entry, 'rule_unreadable')
    else if (/(^|,)\s*(vendor|key|product)\s*:/i.test(subject)) this.#leave(entry, 'vendor_ids')
    else this.#append(section === 'access' ? 'serving.rules' : 'users.rules', entry, `${key}=${written}`)
  }

  #takeProxy(): void {
    const [connect, host, port] = ['proxyconnect', 'proxyhost', 'proxyport'].map((key) => this.#proxy.get(key))
    const mode = connect?.value.trim() ?? '0'
    const name = host?.value.trim() ?? ''
    const url = `http://${name}:${port?.value.trim() || '3128'}`
    for (const entry of [connect, host, port]) {
      if (entry === undefined) continue
      if (mode === '1') this.#leave(entry, 'proxy_automatic')
      else if (mode !== '2' || name === '') this.#leave(entry, 'proxy_off')
      else if (!/^http:\/\/[^\s@/:]+:\d{1,5}$/.test(url)) this.#leave(entry, 'value_unknown')
      else this.#set(entry, 'network.proxy.url', url)
    }
  }
}

function findWithout(name: string, section: string): LeftOutReason {
  for (const key of [name, section]) if (Object.hasOwn(without, key)) return without[key] ?? 'not_known'
  return 'not_known'
}
