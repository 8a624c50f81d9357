/** Writes docs/configuration.md from the table of settings, so that the two can not differ. */
import type { SettingValueKind } from './kinds.ts'
import { isSettingName, variableOf } from './names.ts'
import { productSettings } from './product-settings.ts'
import { type ConfigurationPage, configurationPages, type Setting } from './setting.ts'
import { settings } from './settings.ts'

const titles: Readonly<Record<ConfigurationPage, string>> = {
  basic: 'Basic Settings',
  'remote-managers': 'Access to Remote License Managers',
  'remote-clients': 'Access from Remote Clients',
  'user-restrictions': 'User Restrictions',
  detachable: 'Detachable Licenses',
  network: 'Network',
  mail: 'Mail',
}

const beginning = `# Configuration

A setting comes from the first of these that has it:

1. an environment variable \`LEASEHOLD_…\`; then it can't be changed on the pages,
2. what an administrator set on the pages, over the API, or with \`leasehold config set\`,
3. the configuration file,
4. the default.

The file is YAML. It is the one that \`LEASEHOLD_CONFIG\` names, else \`leasehold.yaml\` in the data folder if that is there.
The dots of a name are its nesting:

\`\`\`yaml
agent:
  name: ws-17
remote:
  search:
    - 10.0.0.255
    - licenses.example.com
detach:
  enabled: true
  maxDays: 14
  products:
    acme/cad: { maxDays: 30 }
\`\`\`

A name followed by nothing sets nothing. A file or variable that says something wrong stops the start, with the place, what is
wrong and what is wanted. A name that does not exist is wrong too.

In the environment, \`detach.maxDays\` is \`LEASEHOLD_DETACH_MAX_DAYS\`. Lists have one entry per line; true and false may be written
on and off, yes and no, 1 and 0. An empty variable counts as not set. Settings of single products are not read from there.

\`LEASEHOLD_DATA\` is the data folder: else \`$XDG_DATA_HOME/leasehold\`, else \`~/.local/share/leasehold\`.

Changes take effect at once, except where "restart" is said.
`

const heading = ['name', 'default', 'wants', 'meaning']

export function writeConfigurationDocument(): string {
  const parts = configurationPages.map((page) => {
    const rows = [...Object.entries<Setting>(settings), ...Object.entries<Setting>(productSettings)]
      .filter(([, setting]) => setting.page === page)
      .map(([name, setting]) => describeRow(name, setting))
    return `\n## ${titles[page]}\n\n${alignTable([heading, ...rows])}`
  })
  return beginning + parts.join('')
}

function describeRow(name: string, setting: Setting): readonly string[] {
  const unit = setting.unit === undefined || setting.unit === '%' ? (setting.unit ?? '') : ` (${setting.unit})`
  const restart = setting.needsRestart ? ' Restart.' : ''
  const variable = isSettingName(name) ? ` \`${variableOf(name)}\`` : ''
  return [
    `\`${name.replace('*', '<id>')}\``,
    name.startsWith('detach.products.') ? 'as for all' : showDefault(setting.default),
    `${setting.wanted}${unit}`,
    `“${setting.label}”. ${setting.help}${restart}${variable}`,
  ]
}

/** As the formatter of the repository leaves it. */
function alignTable(rows: readonly (readonly string[])[]): string {
  const widths = heading.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return `${[lines[0], rule, ...lines.slice(1)].join('\n')}\n`
}

function showDefault(value: SettingValueKind): string {
  return value === '' || (Array.isArray(value) && value.length === 0) ? 'none' : `\`${value}\``
}
