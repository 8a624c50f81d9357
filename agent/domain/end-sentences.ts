/** Why a session ended, in a sentence for people: the agent and the client library say the same. Pure. */
export const endSentences = {
  released: 'The seat was given back.',
  expired: 'No heartbeat came in time.',
  idle: 'It was idle for too long.',
  process_gone: 'Its process has ended.',
  disconnected: 'An administrator disconnected it.',
  serving_stopped: 'The license server was stopped.',
  license_removed: 'The license was removed.',
  user_disabled: 'The user was switched off.',
  lease_lost: 'The lease of its seat was lost.',
  detachment_ended: 'The detached seat has reached its date.',
  recycled: 'The site returned its seats.',
} as const
