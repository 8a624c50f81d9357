/**
 * Turns views into HTML: the template environment and the koa-views middleware on top of it.
 * Owns nothing but the compiled templates. Must not import controllers or owners of state.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Middleware } from 'koa'
import views from 'koa-views'
import nunjucks from 'nunjucks'

export interface TemplateOptions {
  /** Folder of the views. */
  readonly views: string
  /** Folder of what is served under `/public/`. */
  readonly public: string
  /** An undefined value in a template is an error; for tests. */
  readonly strict?: boolean
  /** Templates are read anew for each page; for work on them. */
  readonly fresh?: boolean
}

export interface Templates {
  readonly environment: nunjucks.Environment
  render(view: string, locals: object): Promise<string>
}

/** Marks that turn the direction of text around, so that a name shows as another; no page needs them. */
const reversing = /[\u202a-\u202e\u2066-\u2069]/g

export function createTemplates(options: TemplateOptions): Templates {
  const loader = new nunjucks.FileSystemLoader(options.views, { noCache: options.fresh === true })
  const environment = new nunjucks.Environment(loader, {
    autoescape: true,
    trimBlocks: true,
    lstripBlocks: true,
    throwOnUndefined: options.strict === true,
  })
  environment.addGlobal('asset', createAssetAddresses(options.public))
  return {
    environment,
    render: (view, locals) =>
      new Promise((resolve, reject) => {
        environment.render(view, locals, (error, html) => {
          if (error !== null) reject(error)
          else resolve((html ?? '').replace(reversing, ''))
        })
      }),
  }
}

/** Addresses of static files carry a piece of their hash, so that they may be cached for good and are never stale. */
function createAssetAddresses(folder: string): (name: string) => string {
  const known = new Map<string, string>()
  return (name) => {
    let address = known.get(name)
    if (address === undefined) {
      const digest = createHash('sha256')
        .update(readFileSync(path.join(folder, name)))
        .digest('base64url')
      address = `/public/${name}?v=${digest.slice(0, 10)}`
      known.set(name, address)
    }
    return address
  }
}

/**
 * `ctx.render` by koa-views. Its own engine would compile the page's template for every request and would take a folder
 * to load from out of the locals; with `engineSource` everything goes through our environment.
 */
export function createRenderer(folder: string, templates: Templates): Middleware {
  return views(folder, {
    extension: 'njk',
    map: { njk: 'njk' },
    engineSource: {
      njk: (file: string, locals: object) =>
        templates.render(path.relative(folder, file).split(path.sep).join('/'), locals),
    },
  })
}
