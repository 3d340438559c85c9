import { gateway } from '../gateway.js'

/** A load that has read the origin and is held up before it gives what it read. */
export interface HeldLoad {
  readonly load: () => Promise<string>
  /** The origin has been read. */
  readonly hasRead: Promise<void>
  release(): void
}

/** The truth: a version for each key, `v1` at first, and how often it was asked for. */
export class Origin {
  readonly #versions = new Map<string, number>()
  readonly #calls = new Map<string, number>()

  /** What a caller who asks now should be given. */
  now(key: string): string {
    return `v${this.#versions.get(key) ?? 1}`
  }

  /** Commits a new version. */
  write(key: string): string {
    this.#versions.set(key, (this.#versions.get(key) ?? 1) + 1)
    return this.now(key)
  }

  calls(key: string): number {
    return this.#calls.get(key) ?? 0
  }

  read(key: string): string {
    this.#calls.set(key, this.calls(key) + 1)
    return this.now(key)
  }

  readonly loader = (key: string) => (): Promise<string> => Promise.resolve(this.read(key))

  /** A loader that reads at once and answers when it is released. */
  held(key: string): HeldLoad {
    const read = gateway<undefined>()
    const released = gateway<undefined>()
    return {
      hasRead: read.promise,
      release: () => {
        released.open(undefined)
      },
      load: async () => {
        const value = this.read(key)
        read.open(undefined)
        await released.promise
        return value
      },
    }
  }
}
