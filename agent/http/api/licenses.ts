/**
 * Installed licenses: seen, added, activated by text blocks, moved away, removed.
 * Must not import owners.
 */
import { z } from 'zod'
import { type Refusal, refuse } from '../../errors.ts'
import { created, noContent, ok, type Reply } from '../reply.ts'
import { defineRoute, documentBody, type Route } from '../route.ts'
import {
  addLicenseExample,
  addSampleExample,
  deactivateExample,
  listLicensesExample,
  readLicenseExample,
  removeLicenseExample,
  requestActivationExample,
} from './license-examples.ts'
import {
  type AddLicense,
  activationRequest,
  addLicense,
  deactivate,
  deactivated,
  deactivating,
  type License,
  type LicenseDetails,
  license,
  licenseDetails,
} from './license-shapes.ts'
import { type List, list, opaqueId, pageQuery } from './shapes.ts'

export interface LicensesParts {
  list(query: z.infer<typeof pageQuery>): List<License>
  get(id: string): LicenseDetails | undefined
  /** Untrusted: refusal `untrusted_vendor` with the facts `vendor` and `fingerprint`. */
  add(request: AddLicense): Promise<{ readonly kind: 'added'; readonly license: LicenseDetails } | Refusal>
  remove(id: string): Promise<{ readonly kind: 'removed' } | Refusal>
  requestActivation(id: string): Promise<{ readonly kind: 'requested'; readonly request: string } | Refusal>
  deactivate(
    id: string,
    confirmOverlap: boolean,
  ): Promise<
    | { readonly kind: 'deactivated'; readonly receipt: string }
    | { readonly kind: 'deactivating'; readonly freeAt: string }
    | Refusal
  >
  /** Makes a vendor of its own on the spot and installs a license of it, to try things out. */
  addSample(): Promise<{ readonly kind: 'added'; readonly license: LicenseDetails } | Refusal>
}

const params = z.strictObject({ id: opaqueId })
const location = { Location: 'address of the license' }

function added(outcome: { readonly kind: 'added'; readonly license: LicenseDetails } | Refusal): Reply | Refusal {
  if (outcome.kind === 'refused') return outcome
  return created(outcome.license, { Location: `/api/v1/licenses/${outcome.license.id}` })
}

export function licenseRoutes(parts: LicensesParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/licenses',
      guard: 'read',
      operation: 'listLicenses',
      summary: 'Licenses, here and on known managers',
      example: listLicensesExample,
      query: pageQuery,
      answers: { 200: { description: 'Licenses', schema: list(license) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/licenses/{id}',
      guard: 'read',
      operation: 'readLicense',
      summary: 'Everything in a license',
      example: readLicenseExample,
      params,
      answers: { 200: { description: 'The license', schema: licenseDetails } },
      errors: ['unknown_license'],
      handle({ params: { id } }) {
        const found = parts.get(id)
        return found === undefined ? refuse('unknown_license', 'There is no license of this id.') : ok(found)
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/licenses',
      guard: 'administrator',
      operation: 'addLicense',
      summary: 'Install a license',
      description:
        'A license is a block of text that a vendor has signed. The first license of a vendor is refused with `untrusted_vendor` and the fingerprint of its key: compare it with the one that the vendor publishes, and send the license again with `trust`. Most licenses give out seats only after they are activated.',
      example: addLicenseExample,
      body: addLicense,
      bodyLimit: documentBody,
      answers: { 201: { description: 'The license is installed', schema: licenseDetails, headers: location } },
      errors: [
        'not_a_document',
        'bad_signature',
        'document_altered',
        'document_invalid',
        'document_too_new',
        'document_superseded',
        'already_applied',
        'untrusted_vendor',
        'vendor_name_taken',
        'store_unavailable',
      ],
      handle: async ({ body }) => added(await parts.add(body)),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/licenses/{id}',
      guard: 'administrator',
      operation: 'removeLicense',
      summary: 'Remove a license',
      description:
        'It gives out no more seats. Those in use stay counted until they are back, also where the license is installed again.',
      example: removeLicenseExample,
      params,
      answers: { 204: { description: 'The license is removed' } },
      errors: ['unknown_license', 'license_in_use', 'seats_detached', 'store_unavailable'],
      async handle({ params: { id } }) {
        const outcome = await parts.remove(id)
        return outcome.kind === 'refused' ? outcome : noContent
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/licenses/{id}/activation-request',
      guard: 'administrator',
      operation: 'requestActivation',
      summary: 'Make the block that asks the vendor for an activation',
      description:
        'An activation binds a license to this agent and its hardware. Send the block to the vendor, and what comes back to `POST /documents` with `apply`.',
      example: requestActivationExample,
      params,
      answers: { 200: { description: 'The block', schema: activationRequest } },
      errors: ['unknown_license', 'hardware_unreadable', 'store_unavailable'],
      async handle({ params: { id } }) {
        const outcome = await parts.requestActivation(id)
        return outcome.kind === 'refused' ? outcome : ok({ request: outcome.request })
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/licenses/{id}/deactivate',
      guard: 'administrator',
      operation: 'deactivateLicense',
      summary: 'Stop serving a license and make the receipt for the vendor',
      description:
        'For moving a license to another machine: with the signed receipt the vendor activates it there. The receipt is made when the last seat is back; until then the answer is 202 with the time at which to ask again.',
      example: deactivateExample,
      params,
      body: deactivate,
      answers: {
        200: { description: 'The receipt', schema: deactivated },
        202: { description: 'Seats are still in use until the time shown; ask again then', schema: deactivating },
      },
      errors: [
        'unknown_license',
        'license_not_active',
        'license_in_use',
        'seats_detached',
        'overlap_forbidden',
        'document_superseded',
        'store_unavailable',
      ],
      async handle({ params: { id }, body }) {
        const outcome = await parts.deactivate(id, body.confirmOverlap)
        if (outcome.kind === 'refused') return outcome
        if (outcome.kind === 'deactivated') return ok({ receipt: outcome.receipt })
        return { ...ok({ state: 'deactivating', freeAt: outcome.freeAt }), status: 202 }
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/sample',
      guard: 'administrator',
      operation: 'addSample',
      summary: 'Install a sample license of a sample vendor',
      description:
        'To try things out without a license of your own: makes a vendor on the spot and installs a license that it signs.',
      example: addSampleExample,
      answers: { 201: { description: 'The sample license is installed', schema: licenseDetails, headers: location } },
      errors: ['already_applied', 'store_unavailable'],
      handle: async () => added(await parts.addSample()),
    }),
  ]
}
