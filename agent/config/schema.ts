/**
 * The schemas that come from the table of settings: of a change by name, as the API takes it, and of the nested file.
 */
import { z } from 'zod'
import { productId, productSettings } from './product-settings.ts'
import type { Setting } from './setting.ts'
import { settings } from './settings.ts'

type Tree = { [name: string]: Tree | z.ZodType }

function describe(setting: Setting): z.ZodType {
  const unit = setting.unit === undefined ? '' : ` In ${setting.unit}.`
  const schema = setting.schema.refine((value) => (setting.check?.(value) ?? []).length === 0)
  return schema.meta({ title: setting.label, description: `${setting.help}${unit}`, default: setting.default })
}

function buildTree(): Tree {
  const tree: Tree = {}
  for (const [name, setting] of Object.entries<Setting>(settings)) put(tree, name.split('.'), describe(setting))
  for (const prefix of ['products', 'detach.products']) {
    const ofProduct: Tree = {}
    for (const [pattern, setting] of Object.entries<Setting>(productSettings))
      if (pattern.startsWith(`${prefix}.*.`)) ofProduct[pattern.slice(prefix.length + 3)] = describe(setting)
    put(tree, prefix.split('.'), z.record(z.string().regex(productId), close(ofProduct)))
  }
  return tree
}

function put(tree: Tree, path: readonly string[], schema: z.ZodType): void {
  const [name = '', ...rest] = path
  if (rest.length === 0) {
    tree[name] = schema
    return
  }
  const branch = tree[name] ?? {}
  if (branch instanceof z.ZodType) throw new Error(`${name} is a setting and a section`)
  tree[name] = branch
  put(branch, rest, schema)
}

function close(tree: Tree): z.ZodType {
  const shape: Record<string, z.ZodType> = {}
  for (const [name, node] of Object.entries(tree))
    shape[name] = (node instanceof z.ZodType ? node : close(node)).optional()
  return z.strictObject(shape)
}

/** The configuration file as a whole. `file.ts` checks the same by name, since it has to say where. */
export const fileSchema: z.ZodType = close(buildTree())

/** JSON Schema (draft 2020-12) of the configuration file, for editors and for GET /configuration/schema. */
export function fileJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(fileSchema, { io: 'input' })
}
