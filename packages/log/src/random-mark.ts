import { randomInt } from 'node:crypto'

/** A mark, a nonce or a generation: random, and exact as a double. */
export const randomMark = (): number => randomInt(1, 2 ** 48 - 1)
