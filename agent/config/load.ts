/**
 * Reads what is fixed before the start: environment and file. A wrong one stops the start with every problem named.
 */
import { readFile } from 'node:fs/promises'
import { type Environment, readEnvironment } from './environment.ts'
import { readConfigurationText } from './file.ts'
import type { SettingValueKind } from './kinds.ts'
import { ConfigurationError, type ConfigurationProblem } from './problem.ts'

/** Values by name that do not change while the agent runs, already checked. */
export interface FixedValues {
  readonly environment: ReadonlyMap<string, SettingValueKind>
  readonly file: ReadonlyMap<string, SettingValueKind>
  /** The file that was read; absent when there is none. */
  readonly fileName?: string
}

/**
 * @param usualFile read when LEASEHOLD_CONFIG names none; it need not be there
 * @throws ConfigurationError
 */
export async function loadConfiguration(environment: Environment, usualFile: string): Promise<FixedValues> {
  const fromEnvironment = readEnvironment(environment)
  const problems: ConfigurationProblem[] = [...fromEnvironment.problems]
  const named = environment.LEASEHOLD_CONFIG
  const fileName = named || usualFile
  const text = await readOrExplain(fileName, Boolean(named), problems)
  const fromFile = text === undefined ? undefined : readConfigurationText(text, fileName)
  problems.push(...(fromFile?.problems ?? []))
  if (problems.length > 0) throw new ConfigurationError(problems)
  const fixed = { environment: fromEnvironment.values, file: fromFile?.values ?? new Map<string, SettingValueKind>() }
  return fromFile ? { ...fixed, fileName } : fixed
}

async function readOrExplain(
  file: string,
  isNamed: boolean,
  problems: ConfigurationProblem[],
): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    if (code === 'ENOENT' && !isNamed) return undefined
    const hint = isNamed ? '; LEASEHOLD_CONFIG names it' : ''
    problems.push({ where: file, name: '', message: `the file can not be read (${code})${hint}` })
    return undefined
  }
}
