/** What the benchmark uses of autocannon, which brings no types of its own. */
declare module 'autocannon' {
  interface Request {
    method?: string
    path?: string
    headers?: Record<string, string>
    body?: string
    /** Called before each request with the context of its connection. */
    setupRequest?: (request: Request, context: Record<string, string>) => Request
    onResponse?: (status: number, body: string, context: Record<string, string>) => void
  }

  interface Options {
    url: string
    connections: number
    /** Seconds. */
    duration: number
    requests: Request[]
  }

  interface Result {
    readonly requests: { readonly total: number }
    /** Seconds. */
    readonly duration: number
    readonly errors: number
    readonly timeouts: number
    readonly '1xx': number
    readonly '2xx': number
    readonly '3xx': number
    readonly '4xx': number
    readonly '5xx': number
  }

  interface Instance extends Promise<Result> {
    /** @param time ms from the request to its answer */
    on(event: 'response', listener: (client: unknown, status: number, bytes: number, time: number) => void): void
  }

  function autocannon(options: Options): Instance
  namespace autocannon {
    export { Request }
  }
  export = autocannon
}
