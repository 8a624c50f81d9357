/** Writes docs/configuration.md from the table of settings, so that the two can not differ. */
import type { SettingValueKind } from './kinds.ts'
import { variableOf } from './names.ts'
import { productSettings } from './product-settings.ts'
import { type ConfigurationPage, configurationPages, type Setting } from './setting.ts'
import { type SettingName, settings } from './settings.ts'

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

export function writeConfigurationDocument(): string {
  const parts = configurationPages.map((page) => {
    const rows = [...Object.entries<Setting>(settings), ...Object.entries<Setting>(productSettings)]
      .filter(([, setting]) => setting.page === page)
      .map(([name, setting]) => writeRow(name, setting))
    return `\n## ${titles[page]}\n\n| name | default | wants | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
  })
  return beginning + parts.join('')
}

function writeRow(name: string, setting: Setting): string {
  const isOfProduct = name.includes('*')
  const unit = setting.unit === undefined || setting.unit === '%' ? (setting.unit ?? '') : ` (${setting.unit})`
  const label = setting.label === '' ? '' : `“${setting.label}”. `
  const restart = setting.needsRestart ? ' Restart.' : ''
  const variable = isOfProduct ? '' : ` \`${variableOf(name as SettingName)}\``
  const initial = name.startsWith('detach.products.') ? 'as for all' : showDefault(setting.default)
  const cells = [
    `\`${name.replace('*', '<id>')}\``,
    initial,
    `${setting.wanted}${unit}`,
    `${label}${setting.help}${restart}${variable}`,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function showDefault(value: SettingValueKind): string {
  return value === '' || (Array.isArray(value) && value.length === 0) ? 'none' : `\`${value}\``
}
