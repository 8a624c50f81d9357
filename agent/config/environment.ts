/**
 * Reads settings from environment variables (`LEASEHOLD_…`). The variables come in from outside.
 */
import { readText, type SettingValueKind } from './kinds.ts'
import { findNearest, findSetting, variableOf } from './names.ts'
import { type ConfigurationProblem, checkValue } from './problem.ts'
import { settingNames } from './settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>

const variables = new Map(settingNames.map((name) => [variableOf(name), name]))
/** Read elsewhere: the data folder, the configuration file, the token of the command line. */
const others = ['LEASEHOLD_DATA', 'LEASEHOLD_CONFIG', 'LEASEHOLD_TOKEN']
const allVariables = [...variables.keys(), ...others]
/** What Kubernetes puts into every container of a namespace that has a service called leasehold. */
const serviceLink = /^LEASEHOLD_(SERVICE_(HOST|PORT)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$)/

export function readEnvironment(environment: Environment): {
  readonly values: ReadonlyMap<string, SettingValueKind>
  readonly problems: readonly ConfigurationProblem[]
} {
  const values = new Map<string, SettingValueKind>()
  const problems: ConfigurationProblem[] = []
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('LEASEHOLD_') || others.includes(variable) || serviceLink.test(variable)) continue
    // service managers and containers hand on variables that were not filled in
    if (text === undefined || text === '') continue
    const name = variables.get(variable)
    const setting = name === undefined ? undefined : findSetting(name)
    if (name === undefined || !setting) {
      const nearest = findNearest(variable, allVariables)
      const hint = nearest === undefined ? '' : `; ${nearest} is`
      problems.push({ where: variable, name: variable, message: `${variable} is not a setting${hint}` })
      continue
    }
    const check = checkValue(name, setting, readText(setting.kind, text))
    if (check.kind === 'wrong') problems.push({ where: variable, name, message: check.message })
    else values.set(name, check.value)
  }
  return { values, problems }
}
